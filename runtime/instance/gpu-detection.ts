// Is there a GPU that KIND_AUTO may choose? Only one that CUDA can drive: a device, and the CUDA provider of ONNX Runtime, which
// `npm run install:cuda` fetches. (An explicit KIND_GPU also takes WebGPU, which cannot run every operator.)

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function hasCudaGpu(): boolean {
  return hasDevice() && existsSync(cudaProviderPath());
}

/** A container may see a device by the number it has on its host. */
function hasDevice(): boolean {
  return existsSync('/dev') && readdirSync('/dev').some((name) => /^nvidia\d+$/.test(name));
}

function cudaProviderPath(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const binaries = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return join(binaries, 'libonnxruntime_providers_cuda.so');
}
