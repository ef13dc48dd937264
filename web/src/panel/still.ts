// A picture of the stage to keep: SVG with all its looks inside, and PNG made
// from that.
import { widthOf } from "../stage/measure.ts";

export interface About {
  title: string;
  caption: string;
  /** Which moment it is, and of what. */
  from: string;
}

/** What a shape looks like, with what a browser takes when nothing is said. Inherited ones differ from their parent. */
const inherited: Record<string, string> = {
  fill: "rgb(0, 0, 0)",
  "fill-opacity": "1",
  stroke: "none",
  "stroke-width": "1px",
  "stroke-dasharray": "none",
  "stroke-linecap": "butt",
  "stroke-linejoin": "miter",
  "stroke-opacity": "1",
  "font-family": "",
  "font-size": "",
  "font-weight": "400",
  "letter-spacing": "normal",
  "text-anchor": "start",
  visibility: "visible",
  "paint-order": "normal",
};
const own: Record<string, string> = { opacity: "1", "dominant-baseline": "auto" };

const MARGIN = 16;
const SVG = "http://www.w3.org/2000/svg";

/** The picture as it is drawn now, between its title and what is said of it. */
export function still(svg: SVGSVGElement, about: About): string {
  const looks = new Map<string, string>();
  const copy = svg.cloneNode(true) as SVGSVGElement;
  dress(svg, copy, null, looks);
  const { x, y, width, height } = svg.viewBox.baseVal;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const said = lines(about.caption, width - 2 * MARGIN, 16);
  const foot = y + height + MARGIN;
  const full = { width: width + 2 * MARGIN, height: height + 60 + said.length * 22 + MARGIN + 22 };

  const text = (at: number, size: number, fill: string, what: string, weight = 400) => {
    const t = document.createElementNS(SVG, "text");
    for (const [name, value] of Object.entries({ x: x + MARGIN, y: at, fill: colour(fill), "font-size": size }))
      t.setAttribute(name, String(value));
    t.setAttribute("font-weight", String(weight));
    t.textContent = what;
    return t;
  };
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x: x - MARGIN, y: y - 44, ...full, fill: colour("bg") }))
    ground.setAttribute(name, String(value));
  const title = document.createElementNS(SVG, "title");
  title.textContent = about.title;
  const desc = document.createElementNS(SVG, "desc");
  desc.textContent = `${about.caption} ${about.from}`;
  const sheet = document.createElementNS(SVG, "style");
  sheet.textContent = [...looks].map(([look, name]) => `.${name}{${look}}`).join("");

  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("viewBox", `${x - MARGIN} ${y - 44} ${full.width} ${full.height}`);
  copy.setAttribute("width", String(full.width));
  copy.setAttribute("height", String(full.height));
  copy.setAttribute("role", "img");
  copy.setAttribute("font-family", `Pretendard, ${style.getPropertyValue("--font")}`);
  copy.prepend(title, desc, sheet, ground, text(y - 14, 20, "ink", about.title, 700));
  said.forEach((line, i) => {
    copy.append(text(foot + 14 + i * 22, 16, "ink", line));
  });
  copy.append(text(foot + 14 + said.length * 22, 12, "muted", about.from));
  return new XMLSerializer().serializeToString(copy);
}

/** Gives a copy the looks of what it was copied from, and takes from it what only a page needs. */
function dress(from: Element, to: Element, parent: CSSStyleDeclaration | null, looks: Map<string, string>): void {
  const style = getComputedStyle(from);
  const children = [...from.children].map((child, i) => [child, to.children[i]!] as const);
  if (style.display === "none") {
    to.remove();
    return;
  }
  let look = "";
  for (const [name, initial] of Object.entries(inherited)) {
    const value = style.getPropertyValue(name);
    if (value !== (parent?.getPropertyValue(name) ?? initial)) look += `${name}:${value};`;
  }
  for (const [name, initial] of Object.entries(own)) {
    const value = style.getPropertyValue(name);
    if (value !== initial) look += `${name}:${value};`;
  }
  for (const { name } of [...to.attributes])
    if (name === "class" || name === "tabindex" || name === "role" || /^(data|aria)-/.test(name))
      to.removeAttribute(name);
  if (look) {
    if (!looks.has(look)) looks.set(look, `k${looks.size}`);
    to.setAttribute("class", looks.get(look)!);
  }
  // Another font may stand in for ours where the picture is looked at: the text keeps its width.
  if (from instanceof SVGTextContentElement && from.childElementCount === 0 && from.textContent) {
    to.setAttribute("textLength", from.getComputedTextLength().toFixed(1));
    to.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
  for (const [a, b] of children) dress(a, b, style, looks);
}

function lines(text: string, width: number, size: number): string[] {
  const out: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && widthOf(longer, size) > width) {
      out.push(line);
      line = word;
    } else line = longer;
  }
  return line ? [...out, line] : out;
}

/** Draws an SVG, at twice its size, as PNG. */
export async function toPng(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser draws no PNG"))), "image/png");
  });
}

/** Hands a file to the reader. */
export function save(name: string, file: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // Firefox reads it later
}
