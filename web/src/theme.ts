// Runs before the page is drawn, so that a dark page never flashes white. The
// address decides, then the reader's choice, kept here, then the system.
const asked = [new URLSearchParams(location.search).get("theme"), localStorage.getItem("kubestage.theme")];
const theme =
  asked.find((t) => t === "light" || t === "dark" || t === "projector") ??
  (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
document.documentElement.dataset.theme = theme;
