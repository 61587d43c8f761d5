// Reads protobuf text format (https://protobuf.dev/reference/protobuf/textformat-spec/) into plain objects, driven by a
// message descriptor. Why not protobufjs' own reader: it reports no columns and stops at the first unknown field; this one
// finds them all. The result keeps what was written apart from what was not: an absent field is absent, `x: 0` is 0.
//
// Plain objects: names as in the .proto; enums by name; 64-bit integers as numbers, or as decimal strings beyond 2^53;
// maps as objects. text-writer.ts writes them.

import protobuf from 'protobufjs';
import { TextSyntaxError, textTokens, type TextPosition, type TextToken } from './text-token.js';
import { scalarFromToken } from './text-scalar.js';
import { unknownField } from './unknown-field.js';

export type PlainMessage = Record<string, unknown>;

export interface TextProblem extends TextPosition {
  /** Where in the message, such as "input[1].dims". */
  readonly path: string;
  readonly message: string;
}

export interface TextReading {
  readonly message: PlainMessage;
  /** In the order of the text; empty when the text is good. */
  readonly problems: readonly TextProblem[];
}

export function readText(type: protobuf.Type, source: string): TextReading {
  const reader = new TextReader(source);
  return { message: reader.read(type), problems: reader.problems };
}

// ---- details below; callers need not read ----

const MAX_DEPTH = 100;

class TextReader {
  readonly problems: TextProblem[] = [];
  readonly #tokens: Iterator<TextToken, TextToken>;
  readonly #source: string;
  #token: TextToken = { kind: 'end', text: '', line: 1, column: 1 };

  constructor(source: string) {
    this.#source = source;
    this.#tokens = textTokens(this.#source);
  }

  read(type: protobuf.Type): PlainMessage {
    const message: PlainMessage = {};
    try {
      this.#advance();
      this.#fields({ type, message, path: '', depth: 0 }, undefined);
    } catch (error) {
      if (!(error instanceof TextSyntaxError)) throw error;
      this.problems.push({ ...error.position, path: '', message: error.message });
    }
    return message;
  }

  #fields(scope: Scope, close: string | undefined): void {
    if (scope.depth > MAX_DEPTH) throw this.#unexpected(`at most ${MAX_DEPTH} nested messages`);
    while (!this.#atEndOf(close)) {
      this.#field(scope);
      if (this.#token.text === ',' || this.#token.text === ';') this.#advance();
    }
    if (close !== undefined) this.#advance();
  }

  #atEndOf(close: string | undefined): boolean {
    if (close !== undefined) return this.#isSymbol(close);
    return this.#token.kind === 'end';
  }

  #field(scope: Scope): void {
    const name = this.#token;
    if (name.kind !== 'identifier') throw this.#unexpected('a field name');
    this.#advance();
    const path = scope.path === '' ? name.text : `${scope.path}.${name.text}`;
    const { fields } = scope.type;
    const field = Object.hasOwn(fields, name.text) ? fields[name.text]!.resolve() : undefined;
    if (!field) {
      this.#problem(name, path, unknownField(scope.type, name.text));
      this.#skipValue();
      return;
    }
    this.#checkSingle(scope, field, { name, path });
    this.#values(field, () => this.#store(scope, field, path));
  }

  /** Calls `store` at each value: once, or for each element of a list (`[a, b]`). */
  #values(field: protobuf.Field, store: () => void): void {
    if (this.#isSymbol(':')) this.#advance();
    // Only messages may do without the colon.
    else if (!['{', '<', '['].some((symbol) => this.#isSymbol(symbol)))
      throw this.#unexpected("':'");
    if (!this.#isSymbol('[')) {
      store();
      return;
    }
    if (!field.repeated && !field.map)
      this.#problem(this.#token, field.name, `field '${field.name}' takes one value, not a list`);
    this.#advance();
    while (!this.#isSymbol(']')) {
      store();
      if (this.#isSymbol(',')) this.#advance();
      else if (!this.#isSymbol(']')) throw this.#unexpected("',' or ']'");
    }
    this.#advance();
  }

  #store({ message, depth }: Scope, field: protobuf.Field, path: string): void {
    if (field instanceof protobuf.MapField) {
      this.#mapEntry((message[field.name] ??= {}) as PlainMessage, field, { path, depth });
    } else if (field.repeated) {
      const list = (message[field.name] ??= []) as unknown[];
      const value = this.#value(field, `${path}[${list.length}]`, depth);
      if (value !== undefined) list.push(value);
    } else {
      const value = this.#value(field, path, depth);
      if (value !== undefined) message[field.name] = value;
    }
  }

  /** Undefined: a problem was noted and the value skipped. */
  #value(field: protobuf.Field, path: string, depth: number): unknown {
    if (field.resolvedType instanceof protobuf.Type)
      return this.#message(field.resolvedType, path, depth);
    return this.#scalar(field, path);
  }

  #message(type: protobuf.Type, path: string, depth: number): PlainMessage {
    const close = this.#isSymbol('{') ? '}' : this.#isSymbol('<') ? '>' : undefined;
    if (close === undefined) throw this.#unexpected(`'{' (${path} is a message ${type.name})`);
    this.#advance();
    const message: PlainMessage = {};
    this.#fields({ type, message, path, depth: depth + 1 }, close);
    return message;
  }

  #scalar(field: protobuf.Field, path: string): unknown {
    const start = this.#token;
    const negative = this.#isSymbol('-');
    if (negative) this.#advance();
    let token = this.#token;
    if (token.kind === 'symbol' || token.kind === 'end') throw this.#unexpected('a value');
    this.#advance();
    while (token.kind === 'string' && this.#token.kind === 'string') {
      token = { ...token, bytes: Buffer.concat([token.bytes!, this.#token.bytes!]) };
      this.#advance();
    }
    const value = scalarFromToken(field, token, negative);
    if ('problem' in value) {
      this.#problem(start, path, value.problem);
      return undefined;
    }
    return value.value;
  }

  /** `{ key: K value: V }`; a part left out has its type's default, as in protobuf. */
  #mapEntry(
    map: PlainMessage,
    field: protobuf.MapField,
    at: { path: string; depth: number },
  ): void {
    const entry = this.#message(mapEntryType(field), at.path, at.depth);
    const defaultKey = field.keyType === 'string' ? '' : 0;
    // A scalar, read by scalarFromToken.
    const key = String((entry['key'] as string | number | boolean | undefined) ?? defaultKey);
    const value = entry['value'] ?? defaultOf(field);
    // Not an assignment: a key named "__proto__" is a key like any other.
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }

  #checkSingle(
    { message }: Scope,
    field: protobuf.Field,
    at: { name: TextToken; path: string },
  ): void {
    if (field.repeated || field.map) return;
    if (field.name in message)
      this.#problem(at.name, at.path, `field '${field.name}' is given more than once`);
    const other = field.partOf?.fieldsArray.find((f) => f !== field && f.name in message);
    if (other)
      this.#problem(
        at.name,
        at.path,
        `field '${field.name}' excludes '${other.name}', given above`,
      );
  }

  /** Passes over the value of an unknown field, whatever it is. */
  #skipValue(): void {
    if (this.#isSymbol(':')) this.#advance();
    let open = 0;
    do {
      if (this.#token.kind === 'end') throw this.#unexpected('a value');
      if (['{', '<', '['].some((symbol) => this.#isSymbol(symbol))) open++;
      if (['}', '>', ']'].some((symbol) => this.#isSymbol(symbol))) open--;
      const more = this.#isSymbol('-');
      const string = this.#token.kind === 'string';
      this.#advance();
      if (open === 0 && !more && !(string && this.#token.kind === 'string')) return;
    } while (open >= 0);
  }

  #isSymbol(text: string): boolean {
    return this.#token.kind === 'symbol' && this.#token.text === text;
  }

  #advance(): void {
    this.#token = this.#tokens.next().value;
  }

  #problem(position: TextPosition, path: string, message: string): void {
    this.problems.push({ line: position.line, column: position.column, path, message });
  }

  #unexpected(expected: string): TextSyntaxError {
    const found = this.#token.kind === 'end' ? 'the text ends' : `found '${this.#token.text}'`;
    return new TextSyntaxError(`expected ${expected}, but ${found}`, this.#token);
  }
}

/** The message being read, and where it is. */
interface Scope {
  readonly type: protobuf.Type;
  readonly message: PlainMessage;
  readonly path: string;
  readonly depth: number;
}

function defaultOf(field: Pick<protobuf.FieldBase, 'resolvedType' | 'type'>): unknown {
  if (field.resolvedType instanceof protobuf.Type) return {};
  if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.valuesById[0];
  return field.type === 'string' ? '' : field.type === 'bool' ? false : 0;
}

const entryTypes = new WeakMap<protobuf.MapField, protobuf.Type>();

/** protobufjs has no message for the entries of a map; this is the one the language defines. */
function mapEntryType(field: protobuf.MapField): protobuf.Type {
  let type = entryTypes.get(field);
  if (!type) {
    type = new protobuf.Type(`${field.name} entry`);
    const value = new protobuf.Field('value', 2, field.type);
    type.add(new protobuf.Field('key', 1, field.keyType)).add(value);
    value.resolvedType = field.resolvedType;
    value.resolved = true;
    entryTypes.set(field, type);
  }
  return type;
}
