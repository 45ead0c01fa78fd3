import { escapeHtml, inline, paragraphs, sample } from "./html.ts";
import { createRoute, heading } from "./page-route.ts";
import type { Document, Operation } from "./reading.ts";

/** The reference page: static HTML, made of the description alone, with no script and no inline style. */
export function createPage(document: Document): string {
  const { info, tags, components } = document;
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      ...(operation as Operation),
    })),
  );
  const chapters = info.description.split(/^## /m).slice(1).map(parseChapter);
  const problems = Object.entries(components.examples);

  const contents = `<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
${list(
  "General",
  chapters.map(({ id, title }) => link(id, escapeHtml(title))),
)}
${tags
  .map(({ name }) =>
    list(
      name,
      routes.filter(isOf(name)).map((route) => link(route.operationId, heading(route))),
    ),
  )
  .join("\n")}
${list(
  "Problems",
  problems.map(([code]) => link(`problem-${code}`, `<code>${code}</code>`)),
)}
</nav>`;

  const main = [
    ...chapters.map(({ id, title, text }) => section(id, escapeHtml(title), paragraphs(text))),
    ...tags.map(({ name, description }) => {
      const articles = routes.filter(isOf(name)).map((route) => createRoute(route, document));
      return section(toId(name), escapeHtml(name), [`<p>${inline(description)}</p>`, ...articles].join("\n"));
    }),
    section("problems", "Problems", problems.map(createProblem).join("\n")),
  ];

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(info.title)}: reference</title>
<link rel="stylesheet" href="/docs.css">
<link rel="icon" href="/docs.svg">
</head>
<body>
<a class="skip" href="#main">Skip to the reference</a>
<header>
<h1>${escapeHtml(info.title)}</h1>
<p>${escapeHtml(info.summary)}</p>
<p>Version ${escapeHtml(info.version)}. For machines: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
</header>
${contents}
<main id="main" tabindex="-1">
${main.join("\n")}
</main>
</body>
</html>
`;
}

const toId = (title: string) => title.toLowerCase().replaceAll(" ", "-");
const isOf = (tag: string) => (route: Operation) => route.tags.includes(tag);
const link = (id: string, html: string) => `<li><a href="#${id}">${html}</a></li>`;
const list = (title: string, items: string[]) =>
  `<h3>${escapeHtml(title)}</h3>\n<ul>\n${items.join("\n")}\n</ul>`;
function parseChapter(text: string) {
  const [title = "", ...rest] = text.trim().split("\n\n");
  return { id: toId(title), title, text: rest.join("\n\n") };
}

function section(id: string, title: string, html: string): string {
  return `<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${html}
</section>`;
}

function createProblem([code, { summary, description, value }]: [
  string,
  Document["components"]["examples"][string],
]) {
  return `<article aria-labelledby="problem-${code}">
<h3 id="problem-${code}"><code>${code}</code></h3>
<p><strong>${value.status} ${escapeHtml(summary)}.</strong></p>
${paragraphs(description)}
${sample(value)}
</article>`;
}
