// The descriptors of proto/ in the form of golden/wire-contract.tsv, one row for each method, field, enum value and message without
// fields; and which of them are inferd's own. Rows are compared as text, so nothing about them can be forgotten.

import protobuf from 'protobufjs';

/** Numbers from here on are ours: Triton will not use them. */
const FIRST_OWN_FIELD = 1001;

/** The types that only own fields use. */
export const OWN_TYPES: readonly string[] = [
  ...['OnError', 'CascadeScheduling', 'CascadeStage', 'ExitRule', 'ResiliencePolicy'],
  ...['HedgePolicy', 'RetryPolicy', 'CircuitBreakerPolicy', 'FallbackTarget', 'TrafficPolicy'],
  ...['TrafficSplit', 'ShadowTarget', 'Guardrail', 'MonitoringPolicy'],
].map((name) => `.inference.${name}`);

const OWN_METHODS: readonly string[] = ['.grpc.health.v1.Health.Watch'];

export interface ContractDifference {
  /** Rows of the table that proto/ lacks. */
  readonly missing: string[];
  /** Rows of proto/ that are neither in the table nor our own. */
  readonly unexpected: string[];
}

export function compareWithContract(root: protobuf.Root, table: string): ContractDifference {
  const contract = new Set(table.split('\n').map(trimmed).filter(Boolean));
  const rows = rowsOf(root);
  const present = new Set(rows.map(({ text }) => text));
  return {
    missing: [...contract].filter((text) => !present.has(text)),
    unexpected: rows
      .filter(({ text, isOwn }) => !isOwn && !contract.has(text))
      .map(({ text }) => text),
  };
}

/** Types that no method needs, were it not for our own fields; nested types count as part of the type around them. */
export function typesBeyondContract(root: protobuf.Root): string[] {
  const needed = neededTypes(root);
  const outer = everything(root).filter((item) => isType(item) && !isType(item.parent));
  return outer.filter((item) => !needed.has(item)).map(({ fullName }) => fullName);
}

// ---- details below; callers need not read ----

interface Row {
  readonly text: string;
  readonly isOwn: boolean;
}

function rowsOf(root: protobuf.Root): Row[] {
  const needed = neededTypes(root);
  return everything(root).flatMap((item) => {
    if (item instanceof protobuf.Service) return item.methodsArray.map(methodRow);
    if (!isType(item)) return [];
    const isOwn = !needed.has(item) && OWN_TYPES.includes(outermost(item).fullName);
    const rows = item instanceof protobuf.Enum ? enumRows(item) : messageRows(item);
    return rows.map((row) => (isOwn ? { ...row, isOwn } : row));
  });
}

function methodRow(method: protobuf.Method): Row {
  const { requestStream, responseStream, resolvedRequestType, resolvedResponseType } = method;
  const request = streamed(requestStream, resolvedRequestType);
  const response = streamed(responseStream, resolvedResponseType);
  const text = row('rpc', nameOf(method.parent), method.name, request, response);
  return { text, isOwn: OWN_METHODS.includes(method.fullName) };
}

function messageRows(type: protobuf.Type): Row[] {
  const name = nameOf(type);
  if (type.fieldsArray.length === 0)
    return [{ text: row('message', name, '(empty)'), isOwn: false }];
  return type.fieldsArray.map((field) => {
    const label = field.repeated ? 'repeated' : '';
    const text = row('field', name, field.name, field.id, label, typeText(field), extra(field));
    return { text, isOwn: field.id >= FIRST_OWN_FIELD };
  });
}

function enumRows(type: protobuf.Enum): Row[] {
  const values = Object.entries(type.values);
  return values.map(([value, number]) => ({
    text: row('enum', nameOf(type), value, number),
    isOwn: false,
  }));
}

function typeText(field: protobuf.Field): string {
  const type = field.resolvedType ? nameOf(field.resolvedType) : field.type;
  return field instanceof protobuf.MapField ? `map<${field.keyType},${type}>` : type;
}

function extra({ partOf }: protobuf.Field): string {
  if (!partOf) return '';
  return partOf.isProto3Optional ? 'optional' : `oneof ${partOf.name}`;
}

function streamed(stream: boolean | undefined, type: protobuf.Type | null): string {
  return `${stream === true ? 'stream ' : ''}${nameOf(type)}`;
}

function row(...columns: (string | number)[]): string {
  return trimmed(columns.join('\t'));
}

/** The last columns of a row may be empty. */
function trimmed(text: string): string {
  return text.trimEnd();
}

function nameOf(item: protobuf.ReflectionObject | null): string {
  if (!item) throw new Error('an unresolved type. This is a bug.');
  return item.fullName.slice(1);
}

/** What the methods use without our own fields, and what is nested in that. */
function neededTypes(root: protobuf.Root): Set<protobuf.ReflectionObject> {
  const needed = new Set<protobuf.ReflectionObject>();
  const need = (item: protobuf.ReflectionObject | null): void => {
    if (!item || !isType(item) || needed.has(item)) return;
    needed.add(item);
    need(item.parent);
    if (!(item instanceof protobuf.Type)) return;
    for (const field of item.fieldsArray) if (field.id < FIRST_OWN_FIELD) need(field.resolvedType);
    for (const nested of item.nestedArray) need(nested);
  };
  for (const item of everything(root)) {
    if (!(item instanceof protobuf.Service)) continue;
    for (const { resolvedRequestType, resolvedResponseType } of item.methodsArray) {
      need(resolvedRequestType);
      need(resolvedResponseType);
    }
  }
  return needed;
}

function everything(namespace: protobuf.NamespaceBase): protobuf.ReflectionObject[] {
  return namespace.nestedArray.flatMap((item) => [
    item,
    ...(item instanceof protobuf.Namespace ||
    item instanceof protobuf.Type ||
    item instanceof protobuf.Service
      ? everything(item)
      : []),
  ]);
}

function isType(item: protobuf.ReflectionObject | null): item is protobuf.Type | protobuf.Enum {
  return item instanceof protobuf.Type || item instanceof protobuf.Enum;
}

function outermost(item: protobuf.ReflectionObject): protobuf.ReflectionObject {
  return isType(item.parent) ? outermost(item.parent) : item;
}
