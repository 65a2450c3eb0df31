#!/usr/bin/env bash
# Send one message and wait until it is delivered. Needs bash and curl.
set -euo pipefail
url=${GUVERCIN_URL:-http://127.0.0.1:8080}/api/v1/whatsapp
: "${GUVERCIN_TOKEN:?boş. Bir anahtar alın: guvercin anahtar uret | is empty. Make a token: guvercin token create}"

# call METHOD PATH [curl's options]: prints the answer; fails, and says why, when the server refused.
# The token is handed over by a pipe: what stands on a command line is seen by everybody on the machine.
call() {
  local method=$1 path=$2 answer
  shift 2
  answer=$(curl --silent --show-error --max-time 60 --request "$method" "$url$path" \
    --header @<(printf 'Authorization: Bearer %s\n' "$GUVERCIN_TOKEN") \
    --header 'Accept: application/json' "$@")
  if [[ $answer != '{"ok":true'* && $answer != '{"ok": true'* ]]; then
    printf '%s: %s\n' "$(field kod <<<"$answer")" "$(field hata <<<"$answer")" >&2
    return 1
  fi
  printf '%s\n' "$answer"
}

# field NAME: prints a text or a number out of a flat answer. A program of your own has a JSON library for this.
field() { sed -nE "s/.*\"$1\": *(\"([^\"]*)\"|([0-9]+)).*/\2\3/p"; }

# The same key again never makes a second message. Here: one per run; in your program: the invoice's number.
key=ornek-$(date +%s)-$$
answer=$(call POST /gonder \
  --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
  --data '{"telefon": "+905000000001", "mesaj": "Merhaba, faturanız hazır.", "isim": "Ayşe"}')
log_id=$(field log_id <<<"$answer")
printf 'log_id: %s\n' "$log_id"

for _ in $(seq 60); do
  durum=$(call GET "/durum/$log_id" | field durum)
  case $durum in
    delivered | read) printf 'durum: %s\n' "$durum" && exit 0 ;;
    failed | cancelled) break ;;
  esac
  sleep 0.5
done
printf 'durum: %s\n' "$durum" >&2
exit 1
