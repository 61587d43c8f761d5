// A Dockerfile as steps, and what .dockerignore leaves of a directory.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser, type Copy } from 'dockerfile-ast';

export interface Step {
  readonly keyword: string;
  /** `{ from: 'build' }` of `--from=build`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What comes after the flags, as it is written. */
  readonly text: string;
}

export interface Stage {
  /** With the defaults of the arguments before it. */
  readonly image: string;
  /** Of the last stage, which is the image: ''. */
  readonly name: string;
  readonly steps: readonly Step[];
}

export function stagesOf(dockerfile: string): Stage[] {
  const defaults = new Map<string, string>();
  const stages: { image: string; name: string; steps: Step[] }[] = [];
  for (const step of stepsOf(dockerfile)) {
    if (step.keyword === 'FROM') {
      const [image, , name] = step.text.split(/\s+/);
      const known = image!.replace(/\$\{(\w+)\}/g, (_all, key: string) => defaults.get(key) ?? '');
      stages.push({ image: known, name: name ?? '', steps: [] });
    } else if (stages.length > 0) {
      stages.at(-1)!.steps.push(step);
    } else {
      const [key, value] = step.text.split('=');
      defaults.set(key!, value ?? '');
    }
  }
  return stages;
}

/** The variables that ENV sets. */
export function environmentOf({ steps }: Stage): Record<string, string> {
  const texts = steps.filter(({ keyword }) => keyword === 'ENV').map(({ text }) => text);
  const pairs = texts.flatMap((text) => [...text.matchAll(/(\w+)=("[^"]*"|\S+)/g)]);
  return Object.fromEntries(pairs.map(([, key, value]) => [key!, value!.replaceAll('"', '')]));
}

/** The last such step's text. */
export function lastOf({ steps }: Stage, wanted: string): string {
  return steps.filter(({ keyword }) => keyword === wanted).at(-1)?.text ?? '';
}

/** A command in exec form. @throws for one in shell form */
export function commandOf(text: string): string[] {
  return JSON.parse(text.replace(/^CMD\s+/, '').replace(/\\\n/g, '')) as string[];
}

/** The files that a build is sent, relative to the directory. */
export function contextFiles(directory: string): string[] {
  const rules = readFileSync(join(directory, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ path: line.replace(/^!/, ''), isKept: line.startsWith('!') }));
  const isKept = (path: string): boolean =>
    rules.findLast((rule) => pattern(rule.path).test(path))?.isKept ?? true;
  const mayHoldKept = (path: string): boolean =>
    isKept(path) || rules.some((rule) => rule.isKept && rule.path.startsWith(`${path}/`));
  const walk = (folder: string): string[] =>
    readdirSync(join(directory, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return mayHoldKept(path) ? walk(path) : [];
      return isKept(path) ? [path] : [];
    });
  return walk('');
}

// ---- details below; callers need not read ----

function stepsOf(dockerfile: string): Step[] {
  return DockerfileParser.parse(dockerfile)
    .getInstructions()
    .map((instruction) => {
      const flags = 'getFlags' in instruction ? (instruction as Copy).getFlags() : [];
      return {
        keyword: instruction.getKeyword(),
        flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
        text: instruction.getRawArgumentsContent() ?? '',
      };
    });
}

/** Matches what the pattern names, and all that is in it. */
function pattern(text: string): RegExp {
  const expression = text
    .replace(/[.+^${}()|[\]]/g, '\\$&')
    .replaceAll('**/', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(.*/)?');
  return new RegExp(`^${expression}(/|$)`);
}
