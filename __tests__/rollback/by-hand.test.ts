import { expect, it } from '@jest/globals'
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
  expect(finishByHand([one], () => isCreated)).toEqual(commands)
})
