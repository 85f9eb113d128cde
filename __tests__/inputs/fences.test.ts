import { describe, expect, it } from '@jest/globals'
import { type Inputs, readInputs } from '../../src/inputs/inputs.ts'
import { problemsOf } from '../manifest/problems.ts'

const read = (given: Readonly<Record<string, string>>): Inputs => {
  const all: Readonly<Record<string, string>> = {
    manifests: 'k8s',
    release: 'shop',
    kubeconfig: 'clusters: []',
    ...given,
  }
  return readInputs({ input: (name) => all[name] ?? '', env: {}, event: undefined })
}

describe('the fences', () => {
  it('are the namespace of the release, and no cluster-scoped kind', () => {
    expect(read({}).fences).toEqual({ clusterScoped: [] })
  })

  it('are what is listed', () => {
    const given = {
      'allowed-namespaces': 'shop\n\n  shop-jobs \r\n# the old one\n',
      'allow-cluster-scoped': 'ClusterRole\nCustomResourceDefinition.apiextensions.k8s.io',
    }
    expect(read(given).fences).toEqual({
      namespaces: ['shop', 'shop-jobs'],
      clusterScoped: ['ClusterRole', 'CustomResourceDefinition.apiextensions.k8s.io'],
    })
  })

  it.each([
    ['allowed-namespaces', '*', 'has the line "*", which is not the name of a namespace', 'without wildcards'],
    ['allowed-namespaces', 'Shop', 'has the line "Shop", which is not the name of a namespace', '"shop" would do'],
    ['allow-cluster-scoped', '*', 'has the line "*", which is not a kind', 'such as ClusterRole'],
    ['allow-cluster-scoped', 'clusterroles', 'has the line "clusterroles", which is not a kind', 'such as ClusterRole'],
    ['allow-cluster-scoped', 'rbac/ClusterRole', 'which is not a kind', 'with its group'],
    ['allow-cluster-scoped', 'ClusterRole, Namespace', 'which is not a kind', 'one kind a line'],
  ])('%s cannot have the line %s', (name, line, message, hint) => {
    expect(problemsOf(() => read({ [name]: line }))).toMatchObject([
      { code: 'InvalidInput', message: expect.stringContaining(message), hint: expect.stringContaining(hint) },
    ])
  })
})
