// The parts of documents that runs write: each between two comments, so that the rest is people's.

const END = '<!-- end -->';

/** The document with this text instead of what `npm run COMMAND -- --docs` wrote before. @throws Error when it has no place for it */
export function withSection(document: string, command: string, text: string): string {
  const start = `<!-- written by \`npm run ${command} -- --docs\` -->`;
  const from = document.indexOf(start);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`the document has no ${start} … ${END}`);
  return `${document.slice(0, from)}${start}\n\n${text}\n\n${document.slice(to)}`;
}
