/** Three applications as people have them: each is deployed, goes bad and is taken back, and is deployed again. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { installPrograms, type Programs } from './programs.ts'
import { type Checkout, createCheckout, type RunOptions, type RunResult } from './rollsafe.ts'
import { comparables, snapshot } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

const APPLICATIONS = resolve(import.meta.dirname, '../fixtures/applications')
const KINDS = [
  'configmaps',
  'services',
  'serviceaccounts',
  'roles',
  'rolebindings',
  'deployments',
  'statefulsets',
  'cronjobs',
  'ingresses',
  'networkpolicies',
  'poddisruptionbudgets',
  'horizontalpodautoscalers',
].join(',')

let programs: Programs
beforeAll(async () => {
  programs = await installPrograms()
})
afterAll(async () => {
  await programs[Symbol.asyncDispose]()
})

/** A checkout of an application, `GROUP` replaced by a group of API kinds that no other test has. */
async function checkoutOf(application: string, group = ''): Promise<Checkout> {
  const folder = join(APPLICATIONS, application)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const texts = await Promise.all(
    files.map(async (path) => {
      const text = (await readFile(path, 'utf8')).replaceAll('GROUP', group)
      return [join(application, path.slice(folder.length)), text] as const
    }),
  )
  return createCheckout(Object.fromEntries(texts))
}

const runIn = (
  namespace: TestNamespace,
  checkout: Checkout,
  sources: Readonly<Record<string, string>>,
  options: RunOptions = {},
) => {
  const env = { PATH: `${programs.folder}:${process.env['PATH'] ?? ''}` }
  const inputs = { namespace: namespace.name, manifests: '', ...sources }
  return (more: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
    checkout.run({ ...inputs, ...more }, { ...options, env })
}

const ended = ({ exitCode, outputs, log }: RunResult) => ({ exitCode, ...outputs, log })

describe('an application', () => {
  it.concurrent('of a kustomization with overlays', () =>
    withNamespace('storefront', async (namespace) => {
      await using checkout = await checkoutOf('storefront')
      await namespace.grant('rollsafe-rbac')
      const deploy = runIn(namespace, checkout, { kustomize: 'storefront/overlays/production' })
      const first = await deploy()
      expect(ended(first)).toMatchObject({ exitCode: 0, outcome: 'deployed' })
      expect(first.report.objects.length).toBeGreaterThanOrEqual(18)
      expect(ended(await deploy())).toMatchObject({ outcome: 'unchanged' })

      const before = await snapshot(namespace, KINDS)
      // The generated name of the ConfigMap is another one, and so are all workloads that read it.
      await checkout.write('storefront/base/settings.env', 'LOG_LEVEL=info\nCURRENCY=USD\n')
      const bad = await deploy({ images: 'registry.example/storefront/web:v2-unpullable' })
      expect(ended(bad)).toMatchObject({ exitCode: 1, outcome: 'rolled-back', reason: 'ImagePull', changed: 'false' })
      expect(await snapshot(namespace, KINDS)).toEqual(before)

      const good = await deploy({ images: 'registry.example/storefront/web:v3', prune: 'true' })
      expect(ended(good)).toMatchObject({ exitCode: 0, outcome: 'deployed' })
      const after = Object.keys(await snapshot(namespace, 'configmaps')).filter((name) => name.includes('settings'))
      expect(after).toHaveLength(1)
      expect(Object.keys(before)).not.toContain(after[0])

      const staging = runIn(namespace, checkout, { kustomize: 'storefront/overlays/staging', release: 'staging' })
      expect(ended(await staging())).toMatchObject({ exitCode: 0, outcome: 'deployed' })
    }),
  )

  it.concurrent('of a chart with hooks and a subchart', () =>
    withNamespace('bookshop', async (namespace) => {
      await using checkout = await checkoutOf('bookshop')
      const deploy = runIn(namespace, checkout, {
        release: 'bookshop',
        'helm-chart': 'bookshop',
        'helm-values': 'bookshop/values-production.yaml',
      })
      const first = await deploy()
      expect(ended(first)).toMatchObject({ exitCode: 0, outcome: 'deployed' })
      expect(stagesIn(first)).toEqual([
        'what pods need',
        'pre-deploy Jobs, wave 0',
        'pre-deploy Jobs, wave 1',
        'the release',
        'post-deploy Jobs',
      ])
      expect(first.log).toContain('left out, as they are for "helm test": Pod bookshop-smoke')
      expect(first.log).toContain(
        'left out, as this is an installation (no revision was good yet): Job bookshop-backup',
      )
      expect(first.log).toMatch(/left out, as no Job runs on the way back.*: Job bookshop-farewell/)
      expect(jobsIn(first)).toEqual(['bookshop-migrate', 'bookshop-check', 'bookshop-announce'])
      expect(ended(await deploy())).toMatchObject({ outcome: 'unchanged' })

      const before = await snapshot(namespace, KINDS)
      const bad = await deploy({
        'helm-set': 'greeting=good bye\narchive=true\ncache.size=128Mi',
        images: 'registry.example/bookshop/web:v2-crash',
      })
      expect(ended(bad)).toMatchObject({ exitCode: 1, outcome: 'rolled-back', reason: 'CrashLoop' })
      const kept = 'ConfigMap/bookshop-archive'
      expect(bad.log).toContain(
        `${namespace.name}/bookshop-archive stays, as its annotation helm.sh/resource-policy says`,
      )
      expect(await snapshot(namespace, KINDS)).toEqual({ ...before, [kept]: expect.anything() })
      // The migration ran before anything that runs was changed; what comes after a good release did not.
      expect(jobsIn(bad)).toEqual(['bookshop-backup', 'bookshop-migrate', 'bookshop-check'])

      const good = await deploy({
        'helm-set': 'greeting=welcome',
        images: 'registry.example/bookshop/web:v3',
        prune: 'true',
      })
      expect(ended(good)).toMatchObject({ exitCode: 0, outcome: 'deployed' })
      expect(jobsIn(good)).toEqual(['bookshop-backup', 'bookshop-migrate', 'bookshop-check', 'bookshop-announce'])
      expect(Object.keys(await snapshot(namespace, 'configmaps'))).toContain(kept)
    }),
  )

  it.concurrent('of plain manifests with a kind of its own', () =>
    withNamespace('parcels', async (namespace) => {
      const definition = `parcels.${namespace.name}.example.dev`
      await using checkout = await checkoutOf('parcels', `${namespace.name}.example.dev`)
      const sources = { manifests: 'parcels', 'allow-cluster-scoped': 'CustomResourceDefinition' }
      // The documented Role cannot name a kind that is only being made.
      const deploy = runIn(namespace, checkout, sources, { login: 'administrator' })
      const state = async () => {
        const own = JSON.parse(await namespace.kubectl(['get', 'crd', definition, '-o', 'json'])) as KubeObject
        return { ...(await snapshot(namespace, `${KINDS},${definition}`)), ...comparables([own]) }
      }
      try {
        expect(ended(await deploy())).toMatchObject({ exitCode: 0, outcome: 'deployed' })
        expect(ended(await deploy())).toMatchObject({ outcome: 'unchanged' })

        const before = await state()
        expect(Object.keys(before)).toEqual(
          expect.arrayContaining(['Parcel/books', `CustomResourceDefinition/${definition}`]),
        )
        const change = async (path: string, from: string, to: string) => {
          const file = join(checkout.folder, 'parcels', path)
          await checkout.write(`parcels/${path}`, (await readFile(file, 'utf8')).replaceAll(from, to))
        }
        await change('definition.yaml', '                  minimum: 1', '                  minimum: 2')
        await change('parcels.yaml', 'Lisbon', 'Porto')
        const bad = await deploy({ images: 'registry.example/parcels/courier:v2-oom' })
        expect(ended(bad)).toMatchObject({
          exitCode: 1,
          outcome: 'rolled-back',
          reason: 'OutOfMemory',
          changed: 'false',
        })
        expect(await state()).toEqual(before)

        const good = await deploy({ images: 'registry.example/parcels/courier:v3' })
        expect(ended(good)).toMatchObject({ exitCode: 0, outcome: 'deployed' })
        expect((await state())['Parcel/books']).toMatchObject({ spec: { to: 'Porto', weight: 3 } })
      } finally {
        await namespace.kubectl(['delete', 'crd', definition, '--ignore-not-found', '--wait=false'])
      }
    }),
  )
})

/** What was applied, stage by stage. */
function stagesIn({ log }: RunResult): string[] {
  return [...log.matchAll(/^(?:::group::)?Apply (.*)$/gm)].map(([, title = '']) => title)
}

/** The Jobs that were run, in their order. */
function jobsIn({ log }: RunResult): string[] {
  return [...log.matchAll(/^ *Job \S+\/(\S+) created$/gm)].map(([, name = '']) => name)
}
