// Names of models and tensors -> names that TypeScript takes.

const RESERVED = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally
  for function if implements import in instanceof interface let new null package private protected public return static super
  switch this throw true try typeof var void while with yield`.split(/\s+/),
);

/** spam_light -> spamLight, 2nd-model -> _2ndModel, class -> class_. Never empty. */
export function camelCase(name: string): string {
  const words = name.normalize('NFC').split(/[^\p{ID_Continue}$]+|_+/u);
  const [first = '', ...others] = words.filter((word) => word !== '');
  const joined = lowerFirst(first) + others.map(upperFirst).join('');
  const started = /^[\p{ID_Start}$]/u.test(joined) ? joined : `_${joined}`;
  return RESERVED.has(started) ? `${started}_` : started;
}

export function pascalCase(name: string): string {
  const camel = camelCase(name).replace(/_$/, '');
  return upperFirst(camel) || '_';
}

/** As a property: quoted where it has to be. */
export function propertyName(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : quoted(name);
}

/** As a string literal in single quotes. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1);
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** The name, or the name with the first number from 2 on that is not taken. */
export function unusedName(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number++) candidate = `${name}${number}`;
  return candidate;
}

function upperFirst(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function lowerFirst(word: string): string {
  return word.charAt(0).toLowerCase() + word.slice(1);
}
