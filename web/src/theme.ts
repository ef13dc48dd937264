// Runs before the page is drawn, so that a dark page never flashes white.
// "auto" follows the system; the others are the reader's choice, kept here.
const kept = localStorage.getItem("kubestage.theme");
const theme =
  kept === "light" || kept === "dark" || kept === "projector"
    ? kept
    : matchMedia("(prefers-color-scheme: dark)").matches
      ? "dark"
      : "light";
document.documentElement.dataset.theme = theme;
