// What the figures were measured on.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import type { Machine } from './result.js';

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    cores: processors.length,
    node: process.versions.node,
    grpcJs: versionOf('@grpc/grpc-js'),
    onnxRuntime: versionOf('onnxruntime-node'),
  };
}

/** When and on what, as it stands above figures. */
export function measuredOn({ date, machine }: { date: string; machine: Machine }): string {
  const { processor, cores, node, grpcJs, onnxRuntime } = machine;
  const versions = `Node.js ${node}, @grpc/grpc-js ${grpcJs}, onnxruntime-node ${onnxRuntime}`;
  return `${date.slice(0, 10)}, ${processor}, ${cores} cores, ${versions}`;
}

function versionOf(name: string): string {
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      const text = readFileSync(`${path}/${name}/package.json`, 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // Packages may be installed in any folder above.
    }
  }
  return 'unknown';
}
