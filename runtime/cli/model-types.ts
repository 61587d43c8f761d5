// Descriptions of models -> a TypeScript file on top of `inferd-client`. Pure: the same models give the same text.

import type { ModelMetadata, TensorMetadata } from 'inferd-client';
import { camelCase, pascalCase, propertyName, quoted, unusedName } from './identifiers.js';

export interface DescribedModel {
  readonly metadata: ModelMetadata;
  /** By name; requests may leave them out. */
  readonly optionalInputs: readonly string[];
}

/** Models are sorted by name; inputs and outputs stay in the order of the model. */
export function modelTypes(models: readonly DescribedModel[]): string {
  const sorted = [...models].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const taken = new Set(['typedModel', 'OutputTensor', 'TypedInput', 'TypedModel']);
  const take = (name: string): string => {
    const unused = unusedName(name, taken);
    taken.add(unused);
    return unused;
  };
  const sections = sorted.map((model) => modelSection(model, take));
  return [HEAD, ...sections].join('\n');
}

const HEAD = `// Written by \`inferd types\`. Do not change it; write it again when the models change.

import {
  typedModel,
  type OutputTensor,
  type TypedInput,
  type TypedModel,
} from 'inferd-client';
`;

function modelSection(model: DescribedModel, take: (name: string) => string): string {
  const { name, versions, platform, inputs, outputs } = model.metadata;
  const inputsType = take(`${pascalCase(name)}Inputs`);
  const outputsType = take(`${pascalCase(name)}Outputs`);
  const isOptional = (tensor: TensorMetadata): boolean =>
    model.optionalInputs.includes(tensor.name);
  const about = `The model ${name} (${platform || 'unknown platform'}), version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}.`;
  return `export interface ${inputsType} {
${inputs.map((input) => property(input, `${isOptional(input) ? '?' : ''}: TypedInput`)).join('')}}

export interface ${outputsType} {
${outputs.map((output) => property(output, ': OutputTensor')).join('')}}

/** ${commentText(about)} */
export const ${take(camelCase(name))}: TypedModel<${inputsType}, ${outputsType}> = typedModel(${quoted(name)}, {
${inputs.map(signature).join('')}});
`;
}

function property({ name, datatype, shape }: TensorMetadata, type: string): string {
  return `  /** ${commentText(datatype)} [${shape.join(', ')}] */
  readonly ${propertyName(name)}${type}<${quoted(datatype)}>;
`;
}

function signature({ name, datatype, shape }: TensorMetadata): string {
  // Computed: as a plain key, __proto__ would be the prototype.
  const key = name === '__proto__' ? `[${quoted(name)}]` : propertyName(name);
  return `  ${key}: { datatype: ${quoted(datatype)}, shape: [${shape.join(', ')}] },
`;
}

/** On one line, and without what would end the comment. */
function commentText(text: string): string {
  return text.replaceAll('*/', '* /').replace(/\s+/g, ' ');
}
