// model.json: what somebody notes down about a version beside its model, such as who trained it, on which data, how good it is.
// Any JSON object; shown as flat properties. Its `sha256`, if there is one, is held against the files before they are loaded.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ONNX_FILENAME } from '../config/complete-model-config.js';
import { RuntimeError } from '../core/errors.js';
import type { ModelDescription } from './model-description.js';

export type ModelProperties = Readonly<Record<string, string>>;

const FILENAME = 'model.json';
const MAX_BYTES = 1_048_576;
const MAX_PROPERTIES = 1000;
const MAX_DEPTH = 8;

/** Undefined where there is none. @throws RuntimeError INVALID_ARGUMENT when it cannot be read or a file is not what it says */
export async function readModelCard(
  description: ModelDescription,
  version: number,
): Promise<ModelProperties | undefined> {
  const card = new ModelCard(description, version);
  const json = await card.read();
  if (json === undefined) return undefined;
  const properties = card.flattened(json);
  await card.checkFiles(json['sha256']);
  return properties;
}

// ---- details below; callers need not read ----

type JsonObject = Readonly<Record<string, unknown>>;

class ModelCard {
  readonly #directory: string;
  readonly #modelFilename: string;
  /** "version 1 of model 'm'" */
  readonly #owner: string;

  constructor({ name, directory, message }: ModelDescription, version: number) {
    this.#directory = join(directory, String(version));
    this.#modelFilename = message.default_model_filename || ONNX_FILENAME;
    this.#owner = `version ${version} of model '${name}'`;
  }

  async read(): Promise<JsonObject | undefined> {
    const text = await this.#text();
    if (text === undefined) return undefined;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw this.#invalid(`is not JSON: ${messageOf(error)}`);
    }
    if (!isObject(json)) throw this.#invalid('must be a JSON object, such as {"author": "me"}');
    return json;
  }

  flattened(json: JsonObject): ModelProperties {
    const properties: [string, string][] = [];
    const add = (value: unknown, path: readonly string[]): void => {
      if (typeof value !== 'object' || value === null) {
        if (properties.length >= MAX_PROPERTIES)
          throw this.#invalid(`has more than ${MAX_PROPERTIES} values`);
        properties.push([path.join('.'), String(value)]);
        return;
      }
      if (path.length >= MAX_DEPTH)
        throw this.#invalid(`is nested more than ${MAX_DEPTH} deep at ${path.join('.')}`);
      for (const [key, part] of Object.entries(value)) add(part, [...path, key]);
    };
    add(json, []);
    return Object.fromEntries(properties);
  }

  async checkFiles(expected: unknown): Promise<void> {
    if (expected === undefined) return;
    const files = isObject(expected) ? expected : { [this.#modelFilename]: expected };
    for (const [filename, digest] of Object.entries(files)) await this.#check(filename, digest);
  }

  async #text(): Promise<string | undefined> {
    const path = join(this.#directory, FILENAME);
    try {
      const { size } = await stat(path);
      if (size > MAX_BYTES) throw this.#invalid(`has ${size} bytes; at most ${MAX_BYTES} are read`);
      return await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof RuntimeError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#invalid(`cannot be read: ${messageOf(error)}`);
    }
  }

  async #check(filename: string, expected: unknown): Promise<void> {
    if (typeof expected !== 'string' || !/^[0-9a-fA-F]{64}$/.test(expected))
      throw this.#invalid(`must have 64 hexadecimal digits as sha256 of ${filename}`);
    if (filename.startsWith('/') || filename.split('/').includes('..'))
      throw this.#invalid(`names '${filename}', which leads out of the directory of the version`);
    const found = await this.#sha256(filename);
    if (found === expected.toLowerCase()) return;
    const text = `${filename} of ${this.#owner} has sha256 ${found}, model.json says ${expected}`;
    throw new RuntimeError('INVALID_ARGUMENT', text);
  }

  async #sha256(filename: string): Promise<string> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(join(this.#directory, filename)))
        hash.update(chunk as Buffer);
    } catch (error) {
      throw this.#invalid(`names '${filename}', which cannot be read: ${messageOf(error)}`);
    }
    return hash.digest('hex');
  }

  #invalid(what: string): RuntimeError {
    return new RuntimeError('INVALID_ARGUMENT', `${FILENAME} of ${this.#owner} ${what}`);
  }
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
