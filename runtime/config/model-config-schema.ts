// The descriptor of inference.ModelConfig, read from proto/model_config.proto. The build copies proto/ beside the compiled
// files, so the path is the same from the source and from dist/.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto/', import.meta.url));

let type: protobuf.Type | undefined;

export function modelConfigType(): protobuf.Type {
  type ??= protobuf
    .loadSync(`${PROTO_DIRECTORY}model_config.proto`, new KeepCaseRoot())
    .resolveAll()
    .lookupType('inference.ModelConfig');
  return type;
}

/** Field names as in the .proto file, not in camel case. */
class KeepCaseRoot extends protobuf.Root {
  override loadSync(filename: string | string[]): protobuf.Root {
    return super.loadSync(filename, { keepCase: true });
  }
}
