const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Makes any text safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

/** A name or value as it is written in code. */
export const code = (text: string): string => `<code>${escapeHtml(text)}</code>`;

/** A paragraph's text: what stands between backticks is code. */
export const inline = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");

/** Paragraphs of plain texts. */
export const paragraphs = (texts: string[]): string =>
  texts.map((text) => `<p>${inline(text)}</p>`).join("\n");

/** JSON as it would be sent. */
export const sample = (value: unknown): string => `<pre>${code(JSON.stringify(value, null, 2))}</pre>`;

/** A chapter (level 2) or an entry of it (level 3), under a heading that links find by its id. */
export function titled(level: 2 | 3, id: string, title: string, parts: string[]): string {
  const element = level === 2 ? "section" : "article";
  return `<${element} aria-labelledby="${id}">
<h${level} id="${id}">${title}</h${level}>
${parts.join("\n")}
</${element}>`;
}

/** A table; its cells are HTML already. */
export function table(caption: string, columns: string[], rows: string[][]): string {
  const head = columns.map((name) => `<th scope="col">${name}</th>`).join("");
  const body = rows.map(([first, ...others]) => {
    return `<tr><th scope="row">${first}</th>${others.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>`;
}
