import { expect, it } from '@jest/globals'
import { keyOf } from '../../src/manifest/object.ts'
import type { RollbackStepReport } from '../../src/report/report.ts'
import { finishByHand } from '../../src/rollback/by-hand.ts'

const step = (kind: string, name: string, done: RollbackStepReport['step']): RollbackStepReport => ({
  apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  namespace: 'shop',
  name,
  step: done,
  message: '',
})

it.each<[string, RollbackStepReport, boolean, string[]]>([
  [
    'a workload that is on its way back',
    step('Deployment', 'web', 'restored'),
    false,
    ['kubectl rollout status deployment.apps/web --namespace shop'],
  ],
  [
    'a workload that could not be restored',
    step('Deployment', 'web', 'failed'),
    false,
    [
      'kubectl rollout history deployment.apps/web --namespace shop',
      'kubectl rollout undo deployment.apps/web --namespace shop',
      'kubectl rollout status deployment.apps/web --namespace shop',
    ],
  ],
  [
    'a workload that could not be deleted',
    step('Deployment', 'web', 'failed'),
    true,
    ['kubectl delete deployment.apps/web --namespace shop'],
  ],
  [
    'an object that could not be restored',
    step('ConfigMap', 'web', 'failed'),
    false,
    ['kubectl get configmap/web --namespace shop -o yaml'],
  ],
  ['an object that is restored', step('ConfigMap', 'web', 'restored'), false, []],
  ['what is gone', step('Deployment', 'web', 'deleted'), true, []],
])('%s', (_name, one, isCreated, commands) => {
  expect(finishByHand({ steps: [one], created: new Set(isCreated ? [keyOf(one)] : []) })).toEqual(commands)
})

it('makes room for what the release had made anew, and runs no Job twice', () => {
  const [web, job] = [step('Service', 'web', 'failed'), { ...step('Job', 'migrate', 'failed'), apiVersion: 'batch/v1' }]
  const recreated = new Set([keyOf(web), keyOf(job)])
  const record = { name: 'rollsafe.shop.v4', namespace: 'shop', keys: recreated }
  const [first = '', second = '', ...more] = finishByHand({ steps: [web, job], created: new Set(), recreated, record })
  expect(first).toBe('kubectl delete service/web --namespace shop --ignore-not-found')
  expect(second).toMatch(/kubectl apply --server-side/)
  expect(more).toEqual(['kubectl delete job.batch/migrate --namespace shop --ignore-not-found'])
})

it('takes what could not be restored from the record of the last good revision', () => {
  const [config, web, other] = [
    step('ConfigMap', 'web', 'failed'),
    step('Deployment', 'web', 'failed'),
    step('ConfigMap', 'other', 'failed'),
  ] as const
  const record = { name: 'rollsafe.shop.v4', namespace: 'shop', keys: new Set([keyOf(config), keyOf(web)]) }
  expect(finishByHand({ steps: [config, web, other], created: new Set(), record })).toEqual([
    `kubectl get secret rollsafe.shop.v4 --namespace shop -o jsonpath='{.data.record}' | base64 --decode | gunzip | jq '.objects[].object | select(.kind == "ConfigMap" and .metadata.name == "web" and .metadata.namespace == "shop")' | kubectl apply --server-side --field-manager rollsafe --force-conflicts -f -`,
    `kubectl get secret rollsafe.shop.v4 --namespace shop -o jsonpath='{.data.record}' | base64 --decode | gunzip | jq '.objects[].object | select(.kind == "Deployment" and .metadata.name == "web" and .metadata.namespace == "shop")' | kubectl apply --server-side --field-manager rollsafe --force-conflicts -f -`,
    'kubectl rollout status deployment.apps/web --namespace shop',
    'kubectl get configmap/other --namespace shop -o yaml',
  ])
})
