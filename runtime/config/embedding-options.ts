// The options of a server that is part of another program: the flags, named as JavaScript names things, with their values and their
// defaults. What differs: a front end is served only if its port is named, or `allow…` says so; and the log goes where `log` says.

import type { Log } from '../core/log.js';

/** See `inferd --help` for what each of them means. */
export interface EmbeddingOptions {
  /** Directories of model directories. */
  readonly modelRepository: string | readonly string[];
  /** [none] */
  readonly modelControlMode?: 'none' | 'explicit' | 'poll';
  readonly loadModel?: string | readonly string[];
  readonly modelLoadThreadCount?: number;
  readonly maxModelMemory?: string;
  readonly disableAutoCompleteConfig?: boolean;
  readonly backendConfig?: string | readonly string[];
  readonly repositoryPollSecs?: number;
  /** Name in the server metadata. [inferd] */
  readonly id?: string;
  readonly strictReadiness?: boolean;
  /** createServer rejects when a model cannot be loaded. false: the others are served. [true] */
  readonly exitOnError?: boolean;
  /** How long requests may take to finish after close(). [30] */
  readonly exitTimeoutSecs?: number;
  /** How long everything is still served after close(), while readiness says no. [0] */
  readonly drainDelay?: number;
  readonly executorThreads?: number;
  /** Serve gRPC. [true if grpcPort is given] */
  readonly allowGrpc?: boolean;
  readonly grpcAddress?: string;
  readonly grpcPort?: number;
  readonly grpcUseSsl?: boolean;
  readonly grpcUseSslMutual?: boolean;
  readonly grpcServerCert?: string;
  readonly grpcServerKey?: string;
  readonly grpcRootCert?: string;
  readonly grpcRestrictedProtocol?: string | readonly string[];
  readonly grpcKeepaliveTime?: number;
  readonly grpcKeepaliveTimeout?: number;
  readonly grpcKeepalivePermitWithoutCalls?: boolean;
  readonly grpcMaxConnectionAge?: number;
  readonly grpcMaxConnectionAgeGrace?: number;
  readonly grpcMaxConcurrentStreams?: number;
  /** Serve health over HTTP. [true if httpPort is given] */
  readonly allowHttp?: boolean;
  readonly httpAddress?: string;
  readonly httpPort?: number;
  /** Serve Prometheus metrics. [true if metricsPort is given] */
  readonly allowMetrics?: boolean;
  readonly metricsAddress?: string;
  readonly metricsPort?: number;
  readonly allowCpuMetrics?: boolean;
  readonly metricsConfig?: string | readonly string[];
  readonly logVerbose?: number;
  readonly logInfo?: boolean;
  readonly logWarning?: boolean;
  readonly logError?: boolean;
  readonly logRequests?: number;
  readonly traceConfig?: string | readonly string[];
  readonly rateLimit?: 'off' | 'execution_count';
  readonly rateLimitResource?: string | readonly string[];
  readonly cacheConfig?: string | readonly string[];
  readonly responseCacheByteSize?: string;
  readonly allowClientShm?: boolean;
  /** Where the log goes: pino, or what has its four methods. [nowhere] */
  readonly log?: Log;
}
