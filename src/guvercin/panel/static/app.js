// What pages can't do without a script, and nothing that they need: every form works without it.
"use strict";

const on = (event, selector, act) =>
  document.addEventListener(event, (happened) => {
    const found = happened.target instanceof Element && happened.target.closest(selector);
    if (found) act(found, happened);
  });

const tell = (text) => {
  const region = document.getElementById("duyuru");
  if (region) region.textContent = text;
};

// Controls that only a script can serve are hidden until one runs.
const reveal = (within) => {
  for (const control of within.querySelectorAll("[data-reveal][hidden], [data-copy][hidden], [data-scripted][hidden], [data-try][hidden]")) {
    control.hidden = false;
  }
};

// -- passwords and codes

on("click", "[data-reveal]", (button) => {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  const word = button.textContent;
  button.textContent = button.dataset.hide;
  button.dataset.hide = word;
});

on("click", "[data-copy]", async (button) => {
  const source = document.getElementById(button.dataset.copy);
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text.trim());
  } catch {
    // Without TLS a browser gives no clipboard: select the text, so that Ctrl+C copies it.
    getSelection().selectAllChildren(source);
    return;
  }
  button.classList.add("is-done");
  tell(button.dataset.done);
  setTimeout(() => button.classList.remove("is-done"), 2000);
});

// -- dialogs

on("click", "[data-dialog]", (button) => document.getElementById(button.dataset.dialog)?.showModal());
on("click", "[data-close]", (button) => button.closest("dialog").close());
on("click", "dialog", (dialog, happened) => {
  if (happened.target === dialog) dialog.close();
});
// What moved meanwhile may have drawn the button anew that opened it: the focus comes back to the new one.
addEventListener("close", ({ target }) => {
  const focused = document.activeElement;
  if (focused !== document.body && !target.contains(focused)) return;
  document.querySelector(`[data-dialog="${CSS.escape(target.id)}"]`)?.focus();
}, true);

// -- one press is one request: what is on its way isn't sent again

addEventListener("submit", (happened) => {
  const form = happened.target;
  if (form.dataset.sent) {
    happened.preventDefault();
    return;
  }
  if (form.matches("[hx-post]") || happened.submitter?.dataset.download !== undefined) return;
  form.dataset.sent = "1";
  form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
  }
});

// -- waiting

const countDown = () => {
  for (const place of document.querySelectorAll("[data-countdown]")) {
    const left = Number(place.dataset.countdown) - 1;
    if (left < 0) continue;
    place.dataset.countdown = left;
    place.textContent = left ? place.textContent.replace(/\d+/, left) : "";
    if (!left) place.closest(".notice")?.remove();
  }
};
setInterval(countDown, 1000);

// -- text and files

const count = (field) => {
  const place = document.getElementById(field.dataset.count);
  if (place) place.textContent = `${[...field.value].length}/${field.maxLength}`;
};
on("input", "[data-count]", count);

on("click", "[data-insert]", (button) => {
  const field = document.getElementById(button.dataset.into);
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

on("change", "input[type=file][data-largest]", (field) => {
  const file = field.files[0];
  const place = document.getElementById(`${field.id}-hata`);
  const isLarge = file && file.size > Number(field.dataset.largest);
  field.setCustomValidity(isLarge ? field.dataset.tooLarge : "");
  field.setAttribute("aria-invalid", String(Boolean(isLarge)));
  if (place) {
    place.hidden = !isLarge;
    place.querySelector("span").textContent = isLarge ? field.dataset.tooLarge : "";
  }
  if (!isLarge && file && field.dataset.submits !== undefined) field.form.requestSubmit();
});

for (const type of ["dragover", "dragleave", "drop"]) {
  on(type, "[data-drop]", (zone, happened) => {
    happened.preventDefault();
    zone.classList.toggle("is-over", type === "dragover");
    if (type !== "drop" || !happened.dataTransfer.files.length) return;
    const field = zone.querySelector("input[type=file]");
    field.files = happened.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

on("change", "[data-submits-form]", (field) => field.form.requestSubmit());

// -- the live stream

const banner = () => document.getElementById("kopuk");
let isLost = null;
const isAway = (status) => {
  if (status === 401) location.reload();
  // A page that is being left ends its stream too: only what lasts is told.
  isLost ??= setTimeout(() => { const place = banner(); if (place) place.hidden = false; }, 1500);
};
document.addEventListener("htmx:sse:error", (happened) => isAway(happened.detail.status));
// A stream's first try isn't repeated by itself: a page that opened just as the server went away asks again.
for (const trouble of ["htmx:error", "htmx:response:error"]) {
  on(trouble, "[data-stream]", (source, happened) => {
    isAway(happened.detail.ctx?.response?.status);
    setTimeout(() => {
      const again = source.cloneNode(false);
      source.replaceWith(again);
      htmx.process(again);
    }, 2000);
  });
}
// htmx begins as soon as it is here; if the part that reads streams came after that, it has not seen this page's.
setTimeout(() => {
  for (const source of document.querySelectorAll("[data-stream]:not([data-htmx-powered])")) htmx.process(source);
});
const isBack = () => {
  clearTimeout(isLost);
  isLost = null;
  const place = banner();
  if (place) place.hidden = true;
};
document.addEventListener("htmx:sse:after:message", () => { isBack(); refresh(); });
document.addEventListener("htmx:sse:after:connection", isBack);

// The tab tells what the page tells: its title and its mark follow a live region.
const refresh = () => {
  reveal(document);
  const state = document.getElementById("sekme");
  if (!state) return;
  const [, own] = document.title.match(/^(?:\(.*?\) |⚠ .*? · )?(.*)$/);
  document.title = `${state.dataset.before ?? ""}${own}`;
  const mark = document.getElementById("simge");
  mark.dataset.well ??= mark.getAttribute("href");
  const wanted = state.dataset.alarm ? mark.dataset.alarm : mark.dataset.well;
  if (mark.getAttribute("href") !== wanted) mark.setAttribute("href", wanted);
};

// -- arriving

reveal(document);
refresh();
document.querySelectorAll("[data-count]").forEach(count);
const first = document.querySelector("[aria-invalid=true]");
if (first) first.focus();
document.addEventListener("htmx:after:swap", () => reveal(document));

// -- trying a new key: the same request that a program makes, from this page

on("click", "[data-try]", async (button) => {
  const place = document.getElementById(button.dataset.answer);
  const key = document.getElementById(button.dataset.key).textContent.trim();
  place.hidden = false;
  place.textContent = "…";
  try {
    const answer = await fetch(button.dataset.try, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Accept-Language": document.documentElement.lang },
      body: JSON.stringify({ telefon: "+905000000001", mesaj: "Merhaba" }),
    });
    place.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (trouble) {
    place.textContent = String(trouble);
  }
});
