import { describe, expect, it } from '@jest/globals'
import { fieldPathText } from '../../src/manifest/field-path.ts'
import { imageSlotsOf } from '../../src/manifest/image-slots.ts'

const slotsOf = (apiVersion: string, kind: string, fields: object) =>
  imageSlotsOf({
    object: { apiVersion, kind, metadata: { name: 'x' }, ...fields },
    at: { file: 'a.yaml', line: 1 },
  }).map(({ path, name, image, isContainer }) => ({ path: fieldPathText(path), name, image, isContainer }))

describe('images of Argo workflows', () => {
  const SPEC = {
    entrypoint: 'main',
    templateDefaults: { container: { image: 'app:0' } },
    volumes: [{ name: 'files', image: { reference: 'files:1' } }],
    templates: [
      { name: 'build', container: { image: 'app:1', command: ['make'] } },
      { name: 'check', script: { image: 'app:2', source: 'exit 0' } },
      {
        name: 'serve',
        container: { name: 'own', image: 'app:3' },
        initContainers: [{ name: 'init', image: 'app:4' }],
        sidecars: [{ name: 'proxy', image: 'app:5' }, null],
        volumes: [{ name: 'data', image: { reference: 'data:1' } }],
      },
      { name: 'together', containerSet: { containers: [{ name: 'a', image: 'app:6' }, { name: 'b' }] } },
      {
        name: 'main',
        steps: [[{ name: 's', inline: { container: { image: 'app:7' } } }], [{ name: 't', template: 'build' }]],
      },
      { name: 'graph', dag: { tasks: [{ name: 'd', inline: { script: { image: 'app:8' } } }] } },
      { name: 'wait', suspend: {} },
    ],
  }
  const SLOTS = [
    ['templateDefaults.container.image', 'container', 'app:0', true],
    ['templates[0].container.image', 'build', 'app:1', true],
    ['templates[1].script.image', 'check', 'app:2', true],
    ['templates[2].container.image', 'own', 'app:3', true],
    ['templates[2].initContainers[0].image', 'init', 'app:4', true],
    ['templates[2].sidecars[0].image', 'proxy', 'app:5', true],
    ['templates[3].containerSet.containers[0].image', 'a', 'app:6', true],
    ['templates[3].containerSet.containers[1].image', 'b', '', true],
    ['templates[4].steps[0][0].inline.container.image', 'container', 'app:7', true],
    ['templates[5].dag.tasks[0].inline.script.image', 'script', 'app:8', true],
    ['templates[2].volumes[0].image.reference', 'data', 'data:1', false],
    ['volumes[0].image.reference', 'files', 'files:1', false],
  ] as const

  it.each([
    ['Workflow', 'spec', { spec: SPEC }],
    ['WorkflowTemplate', 'spec', { spec: SPEC }],
    ['ClusterWorkflowTemplate', 'spec', { spec: SPEC }],
    ['CronWorkflow', 'spec.workflowSpec', { spec: { schedules: ['* * * * *'], workflowSpec: SPEC } }],
  ])('%s', (kind, around, fields) => {
    expect(slotsOf('argoproj.io/v1alpha1', kind, fields)).toEqual(
      SLOTS.map(([path, name, image, isContainer]) => ({ path: `${around}.${path}`, name, image, isContainer })),
    )
  })

  it.each([
    ['of another group', 'example.com/v1', 'Workflow', { spec: SPEC }],
    ['without a specification', 'argoproj.io/v1alpha1', 'Workflow', {}],
    ['with one of another form', 'argoproj.io/v1alpha1', 'Workflow', { spec: { templates: { name: 'main' } } }],
    [
      'that only names a template',
      'argoproj.io/v1alpha1',
      'Workflow',
      { spec: { workflowTemplateRef: { name: 'x' } } },
    ],
  ])('not in a workflow %s', (_, apiVersion, kind, fields) => {
    expect(slotsOf(apiVersion, kind, fields)).toEqual([])
  })
})
