const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Makes any text safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

/** A paragraph's text: what stands between backticks is code. */
export function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

/** Paragraphs of a text that has blank lines between them. */
export function paragraphs(text: string): string {
  return text
    .split("\n\n")
    .map((part) => `<p>${inline(part)}</p>`)
    .join("\n");
}

/** A value as it would be sent, or a text as it is. */
export function sample(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return `<pre><code>${escapeHtml(text)}</code></pre>`;
}

/** A table; its cells are HTML already. None if there are no rows. */
export function table(caption: string, columns: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
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
