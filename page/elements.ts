/** Finds an element of page.html by its id; throws where the two files disagree. */
export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`page.html has no such ${type.name}: ${id}`);
  return element;
}

/** Makes an element that holds text and other elements. What the API answers is only ever text. */
export function create<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, ...content: (Node | string)[]) {
  const element = document.createElement(tag);
  element.append(...content);
  return element;
}

/** Makes an element that shows a point in time, epoch seconds, in the reader's way. */
export function createTime(seconds: number, options: Intl.DateTimeFormatOptions): HTMLTimeElement {
  const date = new Date(seconds * 1_000);
  const element = create("time", date.toLocaleString(undefined, options));
  element.dateTime = date.toISOString();
  return element;
}
