// Whether the page around the widget is dark. Jupyter, VS Code and marimo each say it in another way; the colour behind
// the widget says it in all of them.

export function isDark(colour: string): boolean | null {
  const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [];
  const [red, green, blue, alpha] = numbers;
  if (red === undefined || green === undefined || blue === undefined || alpha === 0) return null;
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

export function surroundings(element: Element): "light" | "dark" {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const dark = isDark(getComputedStyle(at).backgroundColor);
    if (dark !== null) return dark ? "dark" : "light";
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keeps `data-theme` right while the theme may change; returns a function that ends it. */
export function followTheme(element: HTMLElement): () => void {
  const look = () => {
    const theme = surroundings(element.parentElement ?? document.body);
    if (element.dataset.theme !== theme) element.dataset.theme = theme;
  };
  look();
  const observer = new MutationObserver(() => requestAnimationFrame(look));
  const watched = {
    attributes: true,
    attributeFilter: ["class", "style", "data-jp-theme-light", "data-theme"],
  };
  observer.observe(document.body, watched);
  observer.observe(document.documentElement, watched);
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", look);
  // A style sheet that arrives later (Jupyter switches themes by one) changes colours without touching an attribute.
  const later = setTimeout(look, 600);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", look);
    clearTimeout(later);
  };
}
