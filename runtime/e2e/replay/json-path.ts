// The paths of the comparison rules: `a.b[*].c`, `**.ns`, `a[0].b`. `*` and `[*]` are any member or element, `**` is any depth,
// none included. Names with dots in them cannot be addressed.

import { isObject, type Json } from './json.js';

/** A place that can be read, overwritten and taken out. Taking an element out of a list leaves "(ignored)" in its place. */
export interface Place {
  get(): Json;
  set(value: Json): void;
  remove(): void;
}

export function placesAt(value: Json, path: string): Place[] {
  return places(value, partsOf(path));
}

/** What stands at a path without wildcards. */
export function valueAt(value: Json, path: string): Json | undefined {
  return placesAt(value, path)[0]?.get();
}

/** The path with `[*]` in the place of every index. */
export function withAnyIndex(path: string): string {
  return path.replace(/\[\d+\]/g, '[*]');
}

function partsOf(path: string): string[] {
  return path.match(/[^.[\]]+/g) ?? [];
}

function places(node: Json, [part, ...rest]: readonly string[]): Place[] {
  if (part === undefined) return [];
  if (part === '**') {
    const deeper = keysOf(node).flatMap((key) => places(placeIn(node, key).get(), ['**', ...rest]));
    return [...places(node, rest), ...deeper];
  }
  const found = keysOf(node).filter((key) => part === '*' || part === key);
  const here = found.map((key) => placeIn(node, key));
  return rest.length === 0 ? here : here.flatMap((place) => places(place.get(), rest));
}

function keysOf(node: Json): string[] {
  return typeof node === 'object' && node !== null ? Object.keys(node) : [];
}

function placeIn(node: Json, key: string): Place {
  if (Array.isArray(node)) {
    const index = Number(key);
    const set = (value: Json): void => void (node[index] = value);
    return { get: () => node[index]!, set, remove: () => set('(ignored)') };
  }
  if (!isObject(node)) throw new Error('only lists and objects have places. This is a bug.');
  return {
    get: () => node[key]!,
    set: (value) => void (node[key] = value),
    remove: () => void Reflect.deleteProperty(node, key),
  };
}
