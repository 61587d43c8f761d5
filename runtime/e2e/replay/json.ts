// JSON as the transcripts hold it: the values, a deep copy, and one spelling per value.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a value with its keys in order: equal values have equal texts. */
export function spelled(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${spelled(value[key]!)}`).join(',')}}`;
}

/** A copy of a JSON value in which `change` has been applied to every string, keys included. */
export function withStrings<T>(value: T, change: (text: string) => string): T {
  const changed = (item: unknown): unknown => {
    if (typeof item === 'string') return change(item);
    if (Array.isArray(item)) return item.map(changed);
    if (typeof item !== 'object' || item === null) return item;
    const members = Object.entries(item);
    return Object.fromEntries(members.map(([key, member]) => [change(key), changed(member)]));
  };
  return changed(value) as T;
}
