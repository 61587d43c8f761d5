// Where in the author's files something happened: a model runs as one bundled module, and its source map leads back.

import { SourceMap, type SourceMapPayload } from 'node:module';
import type { ScriptBundle } from './script-protocol.js';
import { shortText } from './short-text.js';

/** How V8 calls the bundled module in stacks. */
const BUNDLE = 'inferd-model:bundle';
const POSITION = new RegExp(`${BUNDLE}:(\\d+):(\\d+)`, 'g');
/** Frames come last, after a message of any length. */
const MOST_STACK = 16_384;

export class ScriptPositions {
  readonly #map: SourceMap;
  readonly #filename: string;

  constructor({ map, filename }: Pick<ScriptBundle, 'map' | 'filename'>) {
    this.#map = new SourceMap(JSON.parse(map) as SourceMapPayload);
    this.#filename = filename;
  }

  /** The module under a URL, such that `translated` knows its positions. */
  static urlOf({ code }: Pick<ScriptBundle, 'code'>): string {
    const named = `${code}\n//# sourceURL=${BUNDLE}\n`;
    return `data:text/javascript;base64,${Buffer.from(named).toString('base64')}`;
  }

  /** `text` with "model.ts:12:9" wherever it names a position in the bundle. */
  translated(text: string): string {
    return text.replace(POSITION, (_, line: string, column: string) =>
      this.#origin(Number(line), Number(column)),
    );
  }

  /** "TypeError: x is not a function (model.ts:12:9)", as far as that is known. */
  describe(thrown: unknown): string {
    if (!(thrown instanceof Error)) return shortText(thrown);
    const text = `${shortText(thrown.name)}: ${this.translated(shortText(thrown.message))}`;
    const position = this.positionOf(thrown);
    return position === undefined ? text : `${text} (${position})`;
  }

  /** Of the topmost frame that is the author's. */
  positionOf({ stack }: Error): string | undefined {
    const found = new RegExp(POSITION.source).exec(String(stack).slice(-MOST_STACK));
    return found ? this.#origin(Number(found[1]), Number(found[2])) : undefined;
  }

  // ---- details below; callers need not read ----

  #origin(line: number, column: number): string {
    const entry = this.#map.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return `${this.#filename}:?`;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }
}
