// The TLS files that a remote model's configuration names, from the model's directory.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidModelConfig, type ConfigProblem } from '../config/config-problem.js';
import type { RemoteTlsConfig } from '../config/remote-config.js';
import type { TlsMaterial } from '../remote/grpc-connection.js';

/** @throws InvalidModelConfig that names every file which cannot be read */
export async function readTlsFiles(
  tls: RemoteTlsConfig | undefined,
  directory: string,
): Promise<TlsMaterial | undefined> {
  if (!tls) return undefined;
  const problems: ConfigProblem[] = [];
  const read = async (key: string, file: string): Promise<Buffer | undefined> => {
    if (file === '') return undefined;
    try {
      return await readFile(join(directory, file));
    } catch (error) {
      const message = `${key} '${file}' cannot be read: ${(error as Error).message}`;
      problems.push({ path: `parameters["${key}"].string_value`, message });
      return undefined;
    }
  };
  const ca = await read('tls_ca', tls.ca);
  const certificate = await read('tls_cert', tls.certificate);
  const key = await read('tls_key', tls.key);
  InvalidModelConfig.check(problems);
  return { ca, certificate, key };
}
