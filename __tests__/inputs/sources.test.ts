import { describe, expect, it } from '@jest/globals'
import { readInputs } from '../../src/inputs/inputs.ts'
import { problemsOf } from '../manifest/problems.ts'

const BASE: Readonly<Record<string, string>> = {
  release: 'shop',
  kubeconfig: 'apiVersion: v1\nkind: Config\nclusters: []\n',
}
const read = (inputs: Readonly<Record<string, string>>) => {
  const given: Readonly<Record<string, string>> = { ...BASE, ...inputs }
  return readInputs({ input: (name) => given[name] ?? '', env: { GITHUB_WORKSPACE: '/checkout' }, event: {} }).sources
}
const problems = (inputs: Readonly<Record<string, string>>) => problemsOf(() => read(inputs))

describe('where the manifests come from', () => {
  it.each<[string, Record<string, string>, object]>([
    ['manifests', { manifests: 'k8s\nmore' }, { manifests: ['k8s', 'more'] }],
    [
      'a kustomization',
      { kustomize: ' k8s/overlays/production ' },
      { manifests: [], kustomize: 'k8s/overlays/production' },
    ],
    ['a chart', { 'helm-chart': 'chart' }, { manifests: [], helm: { chart: 'chart', values: [], set: [] } }],
    [
      'a chart with values',
      { 'helm-chart': 'chart', 'helm-values': 'a.yaml\n# not b\nc.yaml', 'helm-set': 'a.b=c\nd=\ne={1,2}=x' },
      { manifests: [], helm: { chart: 'chart', values: ['a.yaml', 'c.yaml'], set: ['a.b=c', 'd=', 'e={1,2}=x'] } },
    ],
    [
      'all of them',
      { manifests: 'k8s', kustomize: 'k', 'helm-chart': 'c' },
      { manifests: ['k8s'], kustomize: 'k', helm: { chart: 'c', values: [], set: [] } },
    ],
    ['nothing, for a rollback', { command: 'rollback' }, { manifests: [] }],
  ])('%s', (_name, inputs, sources) => {
    expect(read(inputs)).toEqual({ workspace: '/checkout', ...sources })
  })
})

describe('what cannot be', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['nothing to deploy', {}, /manifests is not given, nor are kustomize and helm-chart: there is nothing to deploy/],
    [
      'values without a chart',
      { manifests: 'k8s', 'helm-values': 'a.yaml' },
      /helm-values is given, but there is no helm-chart/,
    ],
    ['sets without a chart', { manifests: 'k8s', 'helm-set': 'a=b' }, /helm-set is given, but there is no helm-chart/],
    ['a set without a value', { 'helm-chart': 'c', 'helm-set': 'password hunter2' }, /helm-set has a line without "="/],
    ['a set without a key', { 'helm-chart': 'c', 'helm-set': '=hunter2' }, /helm-set has a line without a key/],
    ['two charts', { 'helm-chart': 'a\nb' }, /helm-chart has several lines/],
    ['two kustomizations', { kustomize: 'a\nb' }, /kustomize has several lines/],
  ])('%s', (_name, inputs, message) => {
    const found = problems(inputs)
    expect(found).toMatchObject([{ code: 'InvalidInput', message: expect.stringMatching(message) }])
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })
})
