// The command line as data: every flag of tritonserver and our own. Names, forms and defaults are tritonserver's, so that a
// manifest written for it starts inferd; a flag without a meaning here is accepted and reported once.

import { boolean, integer, later, none, text, type Flag, type FlagGroup } from './flag.js';
import { SCHEDULING_FLAGS } from './scheduling-flags.js';

export const FLAG_GROUPS: readonly FlagGroup[] = [
  {
    title: 'Model repository',
    flags: [
      text(
        'model-repository',
        'DIR',
        'Directory of model directories. Give it again for more repositories.',
        {
          repeatable: true,
        },
      ),
      text('model-store', 'DIR', 'The same as --model-repository.', { repeatable: true }),
      text(
        'model-control-mode',
        'none|explicit|poll',
        'none: load every model at the start. explicit: load by --load-model and by calls. poll: follow the files.',
        { default: 'none' },
      ),
      text(
        'load-model',
        'NAME',
        'Model to load at the start in explicit mode; * for all. May be repeated.',
        {
          repeatable: true,
        },
      ),
      integer('model-load-thread-count', 'N', 'Versions that may be loading at once.', '4'),
      text(
        'max-model-memory',
        'SIZE',
        'How much memory models may take together, such as 4G (estimated from their files). They are then loaded by their first request, and those used longest ago leave; the parameter "pinned" of a model keeps it.',
      ),
      boolean(
        'disable-auto-complete-config',
        'Take config.pbtxt as it is; do not fill it from the model.',
        'false',
      ),
      boolean(
        'strict-model-config',
        'Deprecated: the same as --disable-auto-complete-config.',
        'false',
      ),
      text(
        'backend-config',
        'BACKEND,KEY=VALUE',
        'onnxruntime,default-max-batch-size=N: batch size for models that name none (4).',
        {
          repeatable: true,
        },
      ),
      integer(
        'repository-poll-secs',
        'SECONDS',
        'How often poll mode looks; 0: never again.',
        '15',
      ),
      later(
        'model-config-name',
        'NAME',
        'Take configs/NAME.pbtxt of a model instead of config.pbtxt.',
      ),
      later('model-namespacing', 'BOOL', 'Let repositories have models of the same name.', 'false'),
      later('model-load-retry-count', 'N', 'Attempts after a load that failed.', '0'),
    ],
  },
  {
    title: 'Server',
    flags: [
      text('id', 'NAME', 'Name in the server metadata.', { default: 'inferd' }),
      boolean('strict-readiness', 'Ready only when every model is.', 'true'),
      boolean(
        'exit-on-error',
        'End with status 1 when a model cannot be loaded at the start.',
        'true',
      ),
      integer(
        'exit-timeout-secs',
        'SECONDS',
        'How long requests may take to finish after SIGTERM or Ctrl-C. A model that computes 5 seconds longer is killed (status 137).',
        '30',
      ),
      integer(
        'drain-delay',
        'SECONDS',
        'How long everything is still served after SIGTERM or Ctrl-C, while readiness says no; then connections are refused.',
        '0',
      ),
      integer(
        'executor-threads',
        'N',
        'Threads that run models; 0: twice the cores, at least 8.',
        '0',
      ),
      later('processes', 'N', 'Server processes that share the ports.', '1'),
    ],
  },
  {
    title: 'gRPC',
    flags: [
      boolean('allow-grpc', 'Serve gRPC.', 'true'),
      text('grpc-address', 'ADDRESS', 'Address to listen on.', { default: '0.0.0.0' }),
      integer('grpc-port', 'PORT', 'Port to listen on; 0: any free one.', '8001'),
      boolean('grpc-use-ssl', 'Serve over TLS.', 'false'),
      boolean('grpc-use-ssl-mutual', 'Serve over TLS and ask clients for certificates.', 'false'),
      text('grpc-server-cert', 'FILE', 'Certificate of the server, PEM.'),
      text('grpc-server-key', 'FILE', 'Key of the certificate, PEM.'),
      text('grpc-root-cert', 'FILE', 'Authority of client certificates, PEM.'),
      text(
        'grpc-restricted-protocol',
        'CATEGORIES:KEY=VALUE',
        'Calls of these categories (comma-separated: health, metadata, inference …) need the header triton-grpc-protocol-KEY.',
        { repeatable: true },
      ),
      integer(
        'grpc-keepalive-time',
        'MS',
        'Time without traffic after which the server pings.',
        '7200000',
      ),
      integer('grpc-keepalive-timeout', 'MS', 'Time for the answer to a ping.', '20000'),
      boolean(
        'grpc-keepalive-permit-without-calls',
        'Ping connections without calls, too.',
        'false',
      ),
      integer('grpc-max-connection-age', 'MS', 'Life of a connection; 0: no limit.', '0'),
      integer(
        'grpc-max-connection-age-grace',
        'MS',
        'Time for calls of a connection that is too old.',
        '0',
      ),
      integer(
        'grpc-max-concurrent-streams',
        'N',
        'Calls under way on one connection, streams included; further ones wait at the client. 0: any number.',
        '1000',
      ),
      none('grpc-http2-max-pings-without-data', 'N', 'pings of clients are not limited'),
      none(
        'grpc-http2-min-recv-ping-interval-without-data',
        'MS',
        'pings of clients are not limited',
      ),
      none('grpc-http2-max-ping-strikes', 'N', 'pings of clients are not limited'),
      none('grpc-infer-response-compression-level', 'LEVEL', 'responses are sent uncompressed'),
      none('grpc-infer-thread-count', 'N', 'there is one event loop'),
      none('grpc-infer-allocation-pool-size', 'N', 'memory comes from the JavaScript heap'),
      none('grpc-max-response-pool-size', 'N', 'memory comes from the JavaScript heap'),
      later('grpc-header-forward-pattern', 'REGEX', 'Metadata handed to models as parameters.'),
      later('reuse-grpc-port', 'BOOL', 'Share the port with other processes.', 'false'),
    ],
  },
  {
    title: 'HTTP',
    flags: [
      boolean('allow-http', 'Serve health over HTTP (/v2/health/live, /v2/health/ready).', 'true'),
      text('http-address', 'ADDRESS', 'Address to listen on.', { default: '0.0.0.0' }),
      integer('http-port', 'PORT', 'Port to listen on; 0: any free one.', '8000'),
      none('http-thread-count', 'N', 'there is one event loop'),
      later('reuse-http-port', 'BOOL', 'Share the port with other processes.', 'false'),
      later('http-max-input-size', 'BYTES', 'Largest request body.', '67108864'),
      later('http-header-forward-pattern', 'REGEX', 'Headers handed to models as parameters.'),
      later('http-restricted-api', 'APIS:KEY=VALUE', 'Calls that need a header.'),
    ],
  },
  {
    title: 'Metrics',
    flags: [
      boolean('allow-metrics', 'Serve Prometheus metrics (/metrics).', 'true'),
      text('metrics-address', 'ADDRESS', 'Address to listen on; unset: the address of HTTP.'),
      integer('metrics-port', 'PORT', 'Port to listen on; 0: any free one.', '8002'),
      none('allow-gpu-metrics', 'BOOL', 'there are no GPU metrics'),
      boolean('allow-cpu-metrics', 'Metrics of the machine (nv_cpu_*).', 'true'),
      text(
        'metrics-config',
        'KEY=VALUE',
        'counter_latencies=BOOL, summary_latencies=BOOL, summary_quantiles=0.5:0.05,… choose latency families.',
        { repeatable: true },
      ),
      none('metrics-interval-ms', 'MS', 'everything is read when it is scraped'),
    ],
  },
  {
    title: 'Logging and tracing',
    flags: [
      integer(
        'log-verbose',
        'LEVEL',
        '1: log what happens to each model in detail; 2: and what ONNX Runtime says, which is plain text.',
        '0',
      ),
      boolean('log-info', 'Log information.', 'true'),
      boolean('log-warning', 'Log warnings.', 'true'),
      boolean('log-error', 'Log errors.', 'true'),
      text(
        'log-format',
        'default|ISO8601|json',
        'default: for people on a terminal, JSON elsewhere.',
        {
          default: 'default',
        },
      ),
      text('log-file', 'FILE', 'Write the log there, as JSON, instead of to stderr.'),
      integer('log-requests', 'N', 'A line for every Nth request; 0: for none.', '0'),
      text(
        'trace-config',
        'opentelemetry,url=URL',
        'Send a trace of each request there (OTLP over HTTP). OTEL_EXPORTER_OTLP_ENDPOINT does the same. level=OFF|TIMESTAMPS, rate=N, count=N: as TraceSetting.',
        { repeatable: true },
      ),
    ],
  },
  SCHEDULING_FLAGS,
  {
    title: 'Accepted for tritonserver manifests, without effect',
    flags: [
      none('pinned-memory-pool-byte-size', 'BYTES', 'ONNX Runtime manages its memory'),
      none('cuda-memory-pool-byte-size', 'DEVICE:BYTES', 'ONNX Runtime manages its memory'),
      none('cuda-virtual-address-size', 'DEVICE:BYTES', 'ONNX Runtime manages its memory'),
      none('min-supported-compute-capability', 'VERSION', 'ONNX Runtime chooses the device'),
      none('model-load-gpu-limit', 'DEVICE:FRACTION', 'ONNX Runtime chooses the device'),
      none('enable-peer-access', 'BOOL', 'ONNX Runtime chooses the device'),
      none('buffer-manager-thread-count', 'N', 'inputs are copied once, by the event loop'),
      none('host-policy', 'POLICY,KEY=VALUE', 'instances are not bound to NUMA nodes'),
      none('backend-directory', 'DIR', 'the ONNX backend is built in'),
      none('repoagent-directory', 'DIR', 'there are no repository agents'),
      none('cache-directory', 'DIR', 'caches are built in'),
      none('allow-sagemaker', 'BOOL', 'there is no SageMaker front end'),
      none('allow-vertex-ai', 'BOOL', 'there is no Vertex AI front end'),
    ],
  },
];

export const FLAGS: readonly Flag[] = FLAG_GROUPS.flatMap(({ flags }) => flags);
