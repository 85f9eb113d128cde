/** `make demo`: a good deploy, a bad one, and how it is taken back, on a control plane started for the purpose. */
import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startTestbed } from './testbed.ts'

const ROOT = resolve(import.meta.dirname, '..')
const MANIFEST = 'shop.yaml'

const tell = (text: string) => console.log(`\n\u001B[1m=== ${text}\u001B[0m`)

/** Runs dist/ as a workflow step would, and shows its log. Returns the exit code and the job summary. */
async function runAction(
  checkout: string,
  kubeconfig: string,
  tag: string,
): Promise<{ code: number; summary: string }> {
  const files = { GITHUB_OUTPUT: join(checkout, 'output'), GITHUB_STEP_SUMMARY: join(checkout, 'summary.md') }
  for (const file of Object.values(files)) await writeFile(file, '')
  const env = {
    PATH: process.env['PATH'],
    KUBECONFIG: kubeconfig,
    GITHUB_WORKSPACE: checkout,
    GITHUB_REPOSITORY: 'acme/shop',
    RUNNER_TEMP: checkout,
    ...files,
    INPUT_MANIFESTS: MANIFEST,
    INPUT_IMAGES: `registry.example/shop:${tag}`,
    'INPUT_STABLE-FOR': '2s',
  }
  const child = spawn(process.execPath, [join(ROOT, 'dist', 'index.js')], { cwd: checkout, env, stdio: 'inherit' })
  const code = await new Promise<number>((done) => child.on('close', (exit) => done(exit ?? -1)))
  return { code, summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8') }
}

tell('Starting a Kubernetes control plane (the first time it is built from source, which takes about eight minutes)')
await using testbed = await startTestbed()
const checkout = await mkdtemp(join(tmpdir(), 'rollsafe-demo-'))
try {
  await cp(join(import.meta.dirname, 'demo', MANIFEST), join(checkout, MANIFEST))

  tell('Deploying v1')
  const first = await runAction(checkout, testbed.kubeconfig, 'v1')
  if (first.code !== 0) throw new Error('v1 could not be deployed; its log is above')
  console.log(await testbed.kubectl(['get', 'deployment,replicaset,pod']))

  tell('Shipping v2, whose image cannot be pulled')
  const second = await runAction(checkout, testbed.kubeconfig, 'v2-unpullable')
  if (second.code === 0) throw new Error('v2 was deployed, although its image cannot be pulled')

  tell('What runs now: the pods of v1, which were never gone')
  console.log(await testbed.kubectl(['get', 'deployment,replicaset,pod']))

  tell('The job summary, as GitHub would render it')
  console.log(second.summary)
} finally {
  await rm(checkout, { recursive: true, force: true })
}
