import { runInNewContext } from 'node:vm';
import type { TensorMetadata } from 'inferd-client';
import { describe, expect, it } from 'vitest';
import { camelCase, pascalCase, propertyName, quoted } from './identifiers.js';
import { modelTypes, type DescribedModel } from './model-types.js';

function aModel(name: string, more: Partial<DescribedModel> = {}): DescribedModel {
  const tensor: TensorMetadata = { name: 'x', datatype: 'FP32', shape: [-1, 2] };
  const metadata = { name, versions: ['1'], platform: 'p', properties: {} };
  return {
    metadata: { ...metadata, inputs: [tensor], outputs: [tensor] },
    optionalInputs: [],
    ...more,
  };
}

describe('the types of models', () => {
  it('are a typed function for each, with datatypes and shapes in the comments', () => {
    expect(modelTypes([aModel('spam_light')])).toMatchInlineSnapshot(`
      "// Written by \`inferd types\`. Do not change it; write it again when the models change.

      import {
        typedModel,
        type OutputTensor,
        type TypedInput,
        type TypedModel,
      } from 'inferd-client';

      export interface SpamLightInputs {
        /** FP32 [-1, 2] */
        readonly x: TypedInput<'FP32'>;
      }

      export interface SpamLightOutputs {
        /** FP32 [-1, 2] */
        readonly x: OutputTensor<'FP32'>;
      }

      /** The model spam_light (p), version 1. */
      export const spamLight: TypedModel<SpamLightInputs, SpamLightOutputs> = typedModel('spam_light', {
        x: { datatype: 'FP32', shape: [-1, 2] },
      });
      "
    `);
  });

  it('come in the order of the names', () => {
    const models = ['b', 'a', 'B'].map((name) => aModel(name));

    expect(modelTypes(models)).toBe(modelTypes(models.toReversed()));
  });

  it('have names of their own where models have nearly the same', () => {
    const text = modelTypes([aModel('a-b'), aModel('a_b'), aModel('typed_model')]);

    expect(text.match(/^export const \w+/gm)).toEqual([
      'export const aB',
      'export const aB2',
      'export const typedModel2',
    ]);
    expect(text.match(/^export interface \w+Inputs\w*/gm)).toEqual([
      'export interface ABInputs',
      'export interface ABInputs2',
      'export interface TypedModelInputs',
    ]);
  });

  it('let optional inputs be left out', () => {
    expect(modelTypes([aModel('m', { optionalInputs: ['x'] })])).toContain(
      "readonly x?: TypedInput<'FP32'>;",
    );
  });

  it('are not ended by a name that ends a comment', () => {
    expect(modelTypes([aModel('a*/b')])).toContain('/** The model a* /b (p), version 1. */');
  });
});

describe('an identifier', () => {
  it.each([
    ['spam_light', 'spamLight', 'SpamLight'],
    ['resnet-50.v2', 'resnet50V2', 'Resnet50V2'],
    ['2nd', '_2nd', '_2nd'],
    ['class', 'class_', 'Class'],
    ['BERT', 'bERT', 'BERT'],
    ['größe', 'größe', 'Größe'],
    ['--', '_', '_'],
    ['', '_', '_'],
  ])('of %j is %s, as a type %s', (name, camel, pascal) => {
    expect([camelCase(name), pascalCase(name)]).toEqual([camel, pascal]);
  });

  it.each([
    ['x', 'x'],
    ['INPUT__0', 'INPUT__0'],
    ['class', 'class'],
    ['a:0', "'a:0'"],
    ['it\'s "a" \\ \n', "'it\\'s \"a\" \\\\ \\n'"],
  ])('of the property %j is %s', (name, property) => {
    expect(propertyName(name)).toBe(property);
  });

  it('in quotes is the text again', () => {
    const text = 'a\'b"c\\d\u2028\n';

    // The quoted text is what the generated file would hold.
    expect(runInNewContext(quoted(text))).toBe(text);
  });
});
