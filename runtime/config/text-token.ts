// Splits protobuf text format into tokens, as the language specification at protobuf.dev/reference/protobuf/textformat-spec
// has them. Positions are kept, because every problem is reported with its line and column.

export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

export type TextToken = TextPosition & {
  readonly kind: 'identifier' | 'number' | 'string' | 'symbol' | 'end';
  /** As written; for strings the quoted source. */
  readonly text: string;
  /** Decoded bytes of a string. */
  readonly bytes?: Uint8Array;
};

/** What stops the reading: after it nothing in the text can be trusted to be where it seems. */
export class TextSyntaxError extends Error {
  readonly position: TextPosition;

  constructor(message: string, position: TextPosition) {
    super(message);
    this.position = position;
  }
}

const SPACE = /(?:[ \t\r\n\v\f]+|#[^\n]*)+/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
// Hexadecimal, then anything that starts like a decimal or octal number; the reader decides what its field allows.
const NUMBER = /0[xX][0-9A-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'/y;
const SYMBOL = /[{}<>[\]:;,\-./]/y;
const ESCAPE =
  /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([abfnrtv?\\'"])|([^]))/g;
const SIMPLE_ESCAPES: Record<string, number> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '?': 63,
  '\\': 92,
  "'": 39,
  '"': 34,
};

export function* textTokens(source: string): Generator<TextToken, TextToken> {
  const scanner = new Scanner(source);
  for (;;) {
    const token = scanner.next();
    if (token.kind === 'end') return token;
    yield token;
  }
}

class Scanner {
  readonly #source: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(source: string) {
    this.#source = source;
  }

  next(): TextToken {
    this.#take(SPACE);
    const position = { line: this.#line, column: this.#at - this.#lineStart + 1 };
    if (this.#at === this.#source.length) return { kind: 'end', text: 'end of text', ...position };
    const identifier = this.#take(IDENTIFIER);
    if (identifier !== undefined) return { kind: 'identifier', text: identifier, ...position };
    const number = this.#take(NUMBER);
    if (number !== undefined) return this.#number(number, position);
    const string = this.#take(STRING);
    if (string !== undefined)
      return { kind: 'string', text: string, bytes: unescape(string, position), ...position };
    const symbol = this.#take(SYMBOL);
    if (symbol !== undefined) return { kind: 'symbol', text: symbol, ...position };
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at)!);
    throw new TextSyntaxError(
      character === '"' || character === "'"
        ? 'string is not closed on its line'
        : `unexpected character '${character}'`,
      position,
    );
  }

  #number(text: string, position: TextPosition): TextToken {
    const rest = this.#take(IDENTIFIER);
    if (rest !== undefined) throw new TextSyntaxError(`'${text}${rest}' is not a number`, position);
    return { kind: 'number', text, ...position };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0];
    if (text === undefined) return undefined;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
      this.#line++;
      this.#lineStart = this.#at + i + 1;
    }
    this.#at += text.length;
    return text;
  }
}

/** The bytes of a quoted string. Escapes below 256 are bytes, not code points: "\303\251" is one 'é'. */
function unescape(quoted: string, position: TextPosition): Uint8Array {
  const body = quoted.slice(1, -1);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const match of body.matchAll(ESCAPE)) {
    parts.push(Buffer.from(body.slice(from, match.index)));
    parts.push(escaped(match, position));
    from = match.index + match[0].length;
  }
  parts.push(Buffer.from(body.slice(from)));
  return Buffer.concat(parts);
}

function escaped(match: RegExpExecArray, position: TextPosition): Uint8Array {
  const [whole, octal, hex, unicode4, unicode8, simple] = match;
  if (simple !== undefined) return Uint8Array.of(SIMPLE_ESCAPES[simple]!);
  if (octal !== undefined && parseInt(octal, 8) < 256) return Uint8Array.of(parseInt(octal, 8));
  if (hex !== undefined) return Uint8Array.of(parseInt(hex, 16));
  const codePoint = parseInt(unicode4 ?? unicode8 ?? '', 16);
  const valid = codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  if (!valid) throw new TextSyntaxError(`'${whole}' is not an escape`, position);
  return Buffer.from(String.fromCodePoint(codePoint));
}
