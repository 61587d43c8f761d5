// Is there a GPU that KIND_AUTO may choose? Only one that CUDA can drive: a device, and the CUDA provider of ONNX Runtime, which
// `npm run install:cuda` fetches. (An explicit KIND_GPU also takes WebGPU, which cannot run every operator.)

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function hasCudaGpu(): boolean {
  return existsSync('/dev/nvidia0') && existsSync(cudaProviderPath());
}

function cudaProviderPath(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const binaries = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return join(binaries, 'libonnxruntime_providers_cuda.so');
}
