// Properties of a model, as far as a cell of a table can hold them.

const MOST = 3;
const WIDTH = 40;

/** A line each. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([key, value]) => shortened(`${key}=${value}`));
  const left = lines.length - MOST;
  return [...lines.slice(0, MOST), ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`;
}
