// «Follow the system»: the server can't know which theme that is. Runs before the first paint.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { if (root.dataset.theme === "auto") root.dataset.bsTheme = system.matches ? "dark" : "light"; };
follow();
system.addEventListener("change", follow);
