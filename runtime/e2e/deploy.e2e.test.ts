// The manifests of deploy/k8s: that Kubernetes takes them, and that what is written in two places is the same in both.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentName, parseCommandLine } from '../cli/command-line.js';
import { FLAGS } from '../config/flags.js';
import { serverOptionsFrom } from '../config/server-options.js';
import { HAS_KUBECTL, kustomize, parsed, problemsOf, type Kinds } from './harness/manifests.js';

const KUSTOMIZATIONS = ['base', 'overlays/cpu', 'overlays/gpu', 'overlays/canary'];
const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Batches that compute when --exit-timeout-secs are over; `LAST_BATCHES_MS` of main.ts. */
const LAST_BATCHES_SECS = 5;

const rendered = new Map(
  HAS_KUBECTL ? KUSTOMIZATIONS.map((name) => [name, kustomize(name)] as const) : [],
);

function ofKind<K extends keyof Kinds>(name: string, kind: K): Kinds[K][] {
  return rendered.get(name)!.filter((resource): resource is Kinds[K] => resource.kind === kind);
}

/** Every kustomization has one Deployment, of one container, and one ConfigMap. */
function deployed(name: string) {
  const { metadata, spec } = ofKind(name, 'Deployment')[0]!;
  const configMap = ofKind(name, 'ConfigMap')[0]!;
  const pod = spec!.template.spec!;
  return {
    name: metadata!.name!,
    spec: spec!,
    selector: spec!.selector.matchLabels!,
    labels: spec!.template.metadata!.labels!,
    pod,
    containers: [...pod.initContainers!, ...pod.containers],
    server: pod.containers[0]!,
    configMap: configMap.metadata!.name!,
    flags: configMap.data!,
  };
}

const matches = (selector: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

type Server = ReturnType<typeof deployed>['server'];

const portsOf = ({ ports }: Server): Record<string, number> =>
  Object.fromEntries(ports!.map(({ name, containerPort }) => [name!, containerPort]));

describe.skipIf(!HAS_KUBECTL)('deploy/k8s (skipped without kubectl)', () => {
  it('is taken by the schemas of Kubernetes, whole', async () => {
    expect(await problemsOf([...rendered.values()].flat())).toEqual([]);
  });

  describe.each(KUSTOMIZATIONS)('%s', (name) => {
    it('sets nothing in its ConfigMap but flags', () => {
      const known = FLAGS.map((flag) => environmentName(flag));

      const { flags } = deployed(name);

      expect(Object.keys(flags).filter((key) => !known.includes(key))).toEqual([]);
    });

    it('sets values that the server takes, without a warning', () => {
      const { flags } = deployed(name);
      const output = { version, write: () => undefined };

      const { values, warnings } = parseCommandLine([], flags, output);

      expect([...warnings, ...serverOptionsFrom(values, {}).warnings]).toEqual([]);
    });

    it('has its flags from its own ConfigMap and no variables of Services, which could be flags', () => {
      const { pod, server, configMap } = deployed(name);

      expect(server.envFrom).toEqual([{ configMapRef: { name: configMap } }]);
      expect(pod.enableServiceLinks).toBe(false);
    });

    it('opens and probes the ports that the flags name', () => {
      const { server, flags, spec } = deployed(name);
      const ports = portsOf(server);
      const live = { grpc: { port: ports['grpc'], service: 'inferd/live' } };

      expect(ports).toEqual({
        grpc: Number(flags['INFERD_GRPC_PORT']),
        http: Number(flags['INFERD_HTTP_PORT']),
        metrics: Number(flags['INFERD_METRICS_PORT']),
      });
      expect(server.startupProbe).toMatchObject(live);
      expect(server.livenessProbe).toMatchObject(live);
      expect(server.readinessProbe!.grpc).toEqual({ port: ports['grpc'] });
      expect(spec.template.metadata!.annotations).toMatchObject({
        'prometheus.io/port': String(ports['metrics']),
      });
    });

    it('gives a pod the time to drain, to finish, and to end the last batches', () => {
      const { pod, server, flags } = deployed(name);
      const { INFERD_DRAIN_DELAY: delay, INFERD_EXIT_TIMEOUT_SECS: timeout } = flags;
      const preStop = server.lifecycle?.preStop?.sleep?.seconds ?? 0;

      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        preStop + Number(delay) + Number(timeout) + LAST_BATCHES_SECS,
      );
    });

    it('serves the directory that the init container fills, and cannot write there', () => {
      const { pod, server, flags } = deployed(name);
      const mount = { name: 'models', mountPath: flags['INFERD_MODEL_REPOSITORY'] };

      expect(pod.initContainers![0]!.volumeMounts).toEqual([mount]);
      expect(server.volumeMounts).toContainEqual({ ...mount, readOnly: true });
    });

    it('runs as nobody, with no rights, on a root that cannot be written', () => {
      const { pod, containers } = deployed(name);

      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const { securityContext } of containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    });

    it('says what every container asks for, and how much memory it may take', () => {
      for (const { resources } of deployed(name).containers) {
        expect(resources!.requests).toHaveProperty('cpu');
        expect(resources!.requests).toHaveProperty('memory');
        expect(resources!.limits).toHaveProperty('memory');
      }
    });

    it('selects the pods that it makes', () => {
      const { selector, labels } = deployed(name);

      expect(matches(selector, labels)).toBe(true);
    });

    it('runs the image of this version', () => {
      const { server } = deployed(name);

      expect(server.image).toMatch(new RegExp(`^inferd:${version}(-cuda)?$`));
    });
  });

  it.each(['base', 'overlays/cpu', 'overlays/gpu'])(
    '%s has Services and a disruption budget for its pods and those of a canary',
    (name) => {
      const services = ofKind(name, 'Service').map(({ spec }) => spec!);
      const [budget] = ofKind(name, 'PodDisruptionBudget');
      const tracks = [name, 'overlays/canary'].map((track) => deployed(track).labels);

      for (const labels of tracks) {
        for (const { selector } of services) expect(matches(selector!, labels)).toBe(true);
        expect(matches(budget!.spec!.selector!.matchLabels!, labels)).toBe(true);
      }
      for (const { targetPort } of services.flatMap(({ ports }) => ports!))
        expect(portsOf(deployed(name).server)).toHaveProperty(String(targetPort));
    },
  );

  it('has one name with the addresses of all pods, for clients that balance', () => {
    const headless = ofKind('base', 'Service').filter(({ spec }) => spec!.clusterIP === 'None');

    expect(headless.map(({ metadata }) => metadata!.name)).toEqual(['inferd-headless']);
    expect(headless[0]!.spec!.ports!.map(({ port }) => port)).toEqual([8001]);
  });

  it('scales the Deployment of overlays/cpu, which leaves the number of pods to that', () => {
    const [scaler] = ofKind('overlays/cpu', 'HorizontalPodAutoscaler');
    const { name, spec } = deployed('overlays/cpu');

    expect(scaler!.spec!.scaleTargetRef.name).toBe(name);
    expect(spec.replicas).toBeUndefined();
  });

  it('computes on no more threads in overlays/cpu than there are cores', () => {
    const { server, flags } = deployed('overlays/cpu');

    expect(Number(flags['INFERD_EXECUTOR_THREADS'])).toBeLessThanOrEqual(
      Number(server.resources!.limits!['cpu']),
    );
  });

  it('asks for a GPU in overlays/gpu, and waits for none in a rollout', () => {
    const { server, spec } = deployed('overlays/gpu');

    expect(server.resources!.limits!['nvidia.com/gpu']).toBe(1);
    expect(server.image).toMatch(/-cuda$/);
    expect(spec.strategy!.rollingUpdate!.maxSurge).toBe(0);
  });

  it('adds in overlays/canary a Deployment of its own that takes no pod of the stable one', () => {
    const canary = deployed('overlays/canary');
    const stable = deployed('overlays/cpu');

    expect(rendered.get('overlays/canary')!.map(({ kind }) => kind)).toEqual([
      'ConfigMap',
      'Deployment',
    ]);
    expect(canary.name).not.toBe(stable.name);
    expect(matches(stable.selector, canary.labels)).toBe(false);
    expect(matches(canary.selector, stable.labels)).toBe(false);
  });
});

describe('the check of manifests', () => {
  const GOOD = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: a }
spec:
  selector: { matchLabels: { a: b } }
  template:
    metadata: { labels: { a: b } }
    spec:
      containers:
        - name: c
          image: i
          readinessProbe: { grpc: { port: 8001 } }
          resources: { limits: { memory: 1Gi } }
`;

  it('takes what is right', async () => {
    expect(await problemsOf(parsed(GOOD))).toEqual([]);
  });

  it.each([
    ['a misspelt field', 'readinessProbe', 'readynessProbe', /readynessProbe/],
    ['a field in the wrong place', 'image: i', 'replicas: 2', /replicas/],
    ['a value of the wrong type', 'port: 8001', 'port: many', /port must be integer/],
    ['a quantity that is none', '1Gi', 'much', /memory must/],
    ['a required field that is missing', 'selector: { matchLabels: { a: b } }', '', /selector/],
    ['a kind that does not exist', 'kind: Deployment', 'kind: Deploymint', /Deploymint/],
  ])('refuses %s', async (_what, right, wrong, message) => {
    const problems = await problemsOf(parsed(GOOD.replace(right, wrong)));

    expect(problems.join('\n')).toMatch(message);
  });

  it('refuses a key that is there twice', () => {
    expect(() => parsed(GOOD.replace('image: i', 'name: d'))).toThrow(/unique/);
  });
});
