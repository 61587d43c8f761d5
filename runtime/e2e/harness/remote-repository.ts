// Repositories of remote models, whose version directories are empty.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryRepository } from './temporary-repository.js';

/** Configurations by name. */
export function remoteRepository(models: Readonly<Record<string, string>>): TemporaryRepository {
  const repository = new TemporaryRepository();
  for (const [name, config] of Object.entries(models)) {
    repository.write(`${name}/config.pbtxt`, config);
    mkdirSync(join(repository.path, name, '1'));
  }
  return repository;
}

export function remoteConfig(parameters: Readonly<Record<string, string>>, more = ''): string {
  const entries = Object.entries(parameters).map(
    ([key, value]) => `parameters { key: "${key}" value { string_value: "${value}" } }`,
  );
  return ['backend: "remote"', ...entries, more].join('\n');
}
