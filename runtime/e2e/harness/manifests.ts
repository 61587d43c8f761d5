// The manifests of deploy/k8s as `kubectl apply -k` would send them, and what Kubernetes' schemas say of them. The validators of
// kubernetes-models know values and what is required but pass over fields that they do not know; its types do know them, so a
// resource is also compiled, as a literal of its type.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, IService } from 'kubernetes-models/v1';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const K8S = `${ROOT}deploy/k8s/`;

/** The kinds that the manifests have. */
export interface Kinds {
  ConfigMap: IConfigMap;
  Deployment: IDeployment;
  HorizontalPodAutoscaler: IHorizontalPodAutoscaler;
  PodDisruptionBudget: IPodDisruptionBudget;
  Service: IService;
}

export type Resource = Kinds[keyof Kinds];

export const HAS_KUBECTL = spawnSync('kubectl', ['version', '--client']).status === 0;

/** @throws with what kustomize says */
export function kustomize(directory: string): Resource[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', K8S + directory], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return parsed(stdout);
}

/** @throws for what is no YAML, duplicate keys included */
export function parsed(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Resource;
  });
}

/** Empty when Kubernetes would take them all. */
export async function problemsOf(resources: readonly Resource[]): Promise<string[]> {
  const values = await Promise.all(resources.map((resource) => wrongValues(resource)));
  return [...values.flat(), ...unknownFields(resources)];
}

async function wrongValues(resource: Resource): Promise<string[]> {
  const { apiVersion, kind } = resource;
  const schemas = `kubernetes-models/${apiVersion}`;
  const models = (await import(/* @vite-ignore */ schemas)) as Readonly<
    Record<string, (new (data: Resource) => { validate(): void }) | undefined>
  >;
  const Model = models[kind];
  if (!Model) return [`there is no ${kind} in ${apiVersion}`];
  try {
    new Model(resource).validate();
    return [];
  } catch (error) {
    return [`${kind} ${resource.metadata?.name ?? ''}: ${(error as Error).message}`];
  }
}

function unknownFields(resources: readonly Resource[]): string[] {
  const file = `${ROOT}runtime/e2e/harness/generated-manifests.ts`;
  const text = resources
    .map(
      (resource, index) =>
        `import type { I${resource.kind} as Type${index} } from 'kubernetes-models/${resource.apiVersion}';\n` +
        `export const resource${index}: Type${index} = ${JSON.stringify(resource)};\n`,
    )
    .join('');
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const files = host.getSourceFile.bind(host);
  host.getSourceFile = (name, version, ...more) =>
    name === file ? ts.createSourceFile(name, text, version) : files(name, version, ...more);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
