// A second real client for the test server: commands as JSON lines on stdin, answers and events as JSON lines on stdout.
// It is spoken to as engine.py is. Arguments: the server's address, its root key (hex), the folder for the client's keys.
import { createInterface } from 'node:readline'
import makeWASocket, { DisconnectReason, WA_CERT_DETAILS, useMultiFileAuthState } from 'baileys'
import pino from 'pino'

const [address, root, folder] = process.argv.slice(2)
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root, 'hex') // in this process alone: it believes this server
const logger = pino({ level: 'warn' }, pino.destination(2))
const sent = new Map() // what was written, for those who ask again
let socket

const tell = said => process.stdout.write(JSON.stringify(said) + '\n')
const jid = number => `${number}@s.whatsapp.net`

async function connect() {
  const { state, saveCreds } = await useMultiFileAuthState(folder)
  socket = makeWASocket({
    auth: state,
    logger,
    waWebSocketUrl: address,
    shouldSyncHistoryMessage: () => false,
    getMessage: async key => sent.get(key.id)
  })
  socket.ev.on('creds.update', saveCreds)
  socket.ev.on('connection.update', ({ connection, lastDisconnect, qr }) => {
    if (qr) tell({ event: 'code', client: 'b', data: qr })
    if (connection === 'open') tell({ event: 'Connected', client: 'b' })
    if (connection === 'close') {
      const code = lastDisconnect?.error?.output?.statusCode
      tell({ event: 'Closed', client: 'b', data: code })
      if (code === DisconnectReason.restartRequired) connect()
    }
  })
  socket.ev.on('messages.upsert', ({ messages }) => {
    for (const { key, message, pushName } of messages) {
      tell({ event: 'Message', client: 'b', data: { id: key.id, mine: key.fromMe, name: pushName, message } })
    }
  })
  socket.ev.on('messages.update', updates => {
    for (const { key, update } of updates) {
      if (update.status) tell({ event: 'Receipt', client: 'b', data: { id: key.id, status: update.status } })
    }
  })
}

const acts = {
  connect,
  async send({ to, text, id }) {
    const told = await socket.sendMessage(jid(to), { text }, { messageId: id })
    sent.set(told.key.id, told.message)
    return { ID: told.key.id }
  },
  async look_up({ numbers }) {
    return socket.onWhatsApp(...numbers)
  },
  async stop() {
    socket.end(undefined)
  }
}

createInterface({ input: process.stdin }).on('line', async line => {
  const asked = JSON.parse(line)
  try {
    tell({ number: asked.number, result: (await acts[asked.do](asked)) ?? null })
  } catch (error) {
    tell({ number: asked.number, error: String(error) })
  }
})
tell({ event: 'ready', client: '' })
