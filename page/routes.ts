/** Where the page lies, and the API: providers return to it a level below. */
export const root = new URL(".", import.meta.url).href;

/** The routes of this deployment: which there are depends on its settings. */
const routes = document.documentElement.dataset.routes?.split(",");

/** Answers whether what an element needs is deployed here. */
export function isHere({ dataset: { needs, unless } }: HTMLElement): boolean {
  return (!needs || !!routes?.includes(needs)) && (!unless || !routes?.includes(unless));
}

for (const element of document.querySelectorAll<HTMLElement>("[data-needs], [data-unless]"))
  if (!isHere(element)) element.hidden = true;
