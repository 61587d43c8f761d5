# The server as an image: `docker build -t inferd .`, then
# `docker run -p 8000-8002:8000-8002 -v /path/to/models:/models:ro inferd --model-repository=/models`.
# Without models of your own: --model-repository=/app/model_repository. deploy/k8s/ has the manifests.
#
# Both bases are arguments, so that a build can pin them by digest and put CUDA's libraries below (deploy/k8s/README.md).
ARG NODE_IMAGE=node:24-bookworm-slim
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# What decides the packages comes first: sources change without an installation.
COPY package.json package-lock.json .npmrc ./
COPY clients/typescript/package.json clients/typescript/
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run build
# CUDA=true downloads CUDA's provider (several hundred megabytes, x64 only) from NuGet; nothing is downloaded without it but npm's.
ARG CUDA=false
RUN if [ "$CUDA" = true ]; then npm run install:cuda; fi
# Of ONNX Runtime, which brings the libraries of five platforms, the one that runs here; of the rest, what runs.
RUN npm prune --omit=dev \
 && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d \
      ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} + \
 && find node_modules \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.cts" -o -name "*.d.mts" \) -delete \
 && find node_modules -type d -empty -delete

# ONNX's StringNormalizer needs the locale; to make it takes packages that the server does not need.
FROM ${RUNTIME_IMAGE} AS locale
RUN apt-get update \
 && apt-get install -y --no-install-recommends locales \
 && localedef -i en_US -f UTF-8 en_US.UTF-8 \
 && rm -rf /var/lib/apt/lists/*

FROM ${RUNTIME_IMAGE}
LABEL org.opencontainers.image.title="inferd" \
      org.opencontainers.image.description="Serves versioned ONNX models over gRPC with Triton's protocol" \
      org.opencontainers.image.licenses="Apache-2.0"
# tini is PID 1 because Node must not be: the kernel keeps signals without a handler, even SIGKILL of its own, from a PID 1,
# so that a start could not be interrupted, a second signal would not end, and a model that never ends would keep the server.
# libatomic1 and libstdc++6 are Node's; libatomic1 not on every architecture.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libatomic1 libjemalloc2 libstdc++6 tini \
 && rm -rf /var/lib/apt/lists/*
COPY --from=locale /usr/lib/locale/locale-archive /usr/lib/locale/
# Node and nothing else of its image: npm has no business beside a server.
COPY --from=build /usr/local/bin/node /usr/local/bin/
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/clients/typescript/package.json clients/typescript/
COPY --from=build /app/clients/typescript/dist clients/typescript/dist
COPY --from=build /app/model_repository model_repository
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# jemalloc gives more of the memory of unloaded models back than glibc. Its name without a directory is found on every architecture.
# The server writes no files; HOME is where libraries may put their caches.
ENV NODE_ENV=production \
    LANG=en_US.UTF-8 \
    LD_PRELOAD=libjemalloc.so.2 \
    MALLOC_CONF=background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0 \
    HOME=/tmp
# A number, so that runAsNonRoot can be checked; it owns nothing here.
USER 65532:65532
EXPOSE 8000 8001 8002
# Asks the port of INFERD_HTTP_PORT; who changes it by --http-port must say so here, too (--health-cmd). Kubernetes has its own probes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.INFERD_HTTP_PORT || 8000}/v2/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "/app/dist/runtime/main.js"]
