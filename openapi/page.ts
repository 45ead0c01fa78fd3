import { type ProblemCode, problems } from "../lib/errors.ts";
import { code, escapeHtml, paragraphs, sample, titled } from "./html.ts";
import { contracts, groups } from "./operations/index.ts";
import { createRoute, heading } from "./page-route.ts";
import { createProblemExample, problemTexts } from "./problems.ts";
import { chapters, introduction, title } from "./prose.ts";

/**
 * The reference page: static HTML, made of what the OpenAPI description is made of, with no script and no inline style.
 *
 * Not Redocly's (tried: `redocly build-docs` 2.77.0, redoc 3.0.1 from our own origin). The policy of
 * lib/http/static-files.ts blocks its 2 inline scripts, 2 inline style sheets and 6 style attributes, which leaves plain
 * text without any route; with scripts and sheets moved to files, `trusted-types 'none'` leaves an empty page.
 * Without a policy, axe-core 4.14.1 finds 15 faults on its first page and 34 on that of "Signing in": contrast,
 * landmarks, the order of headings, a label. It has 2,564 KiB; this page and its style have 66.
 */
export function createPage({ version }: { version: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}: reference</title>
<link rel="stylesheet" href="docs.css">
<link rel="icon" href="docs.svg">
</head>
<body>
<a class="skip" href="#main">Skip to the reference</a>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(introduction)}</p>
<p>Version ${escapeHtml(version)}. For machines: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
</header>
<nav aria-labelledby="contents">
<h2 id="contents">Contents</h2>
${createContents().join("\n")}
</nav>
<main id="main" tabindex="-1">
${createChapters().join("\n")}
</main>
</body>
</html>
`;
}

const codes = Object.keys(problems) as ProblemCode[];
const routesOf = (tag: string) => Object.entries(contracts).filter(([, route]) => route.tag === tag);
const toId = (name: string) => name.toLowerCase().replaceAll(" ", "-");

function createContents(): string[] {
  const link = (id: string, html: string) => `<li><a href="#${id}">${html}</a></li>`;
  type List = [title: string, links: string[]];
  const lists: List[] = [
    ["General", chapters.map(({ title }) => link(toId(title), escapeHtml(title)))],
    ...groups.map<List>(([tag]) => [tag, routesOf(tag).map(([id, { route }]) => link(id, heading(route)))]),
    ["Problems", codes.map((name) => link(`problem-${name}`, code(name)))],
  ];
  return lists.map(([name, links]) => `<h3>${escapeHtml(name)}</h3>\n<ul>\n${links.join("\n")}\n</ul>`);
}

function createChapters(): string[] {
  const chapter = (name: string, parts: string[]) => titled(2, toId(name), escapeHtml(name), parts);
  return [
    ...chapters.map(({ title, paragraphs: texts }) => chapter(title, [paragraphs(texts)])),
    ...groups.map(([tag, text]) => chapter(tag, [paragraphs([text]), ...routesOf(tag).map(createRoute)])),
    chapter("Problems", codes.map(createProblem)),
  ];
}

function createProblem(name: ProblemCode): string {
  const { title, status } = problems[name];
  const { meaning, remedy } = problemTexts[name];
  return titled(3, `problem-${name}`, code(name), [
    `<p><strong>${status} ${escapeHtml(title)}.</strong></p>`,
    paragraphs([meaning, `What to do: ${remedy}`]),
    sample(createProblemExample(name)),
  ]);
}
