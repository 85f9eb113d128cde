/** The testbed by hand; README.md tells what for. */
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { buildKubernetes, buildTool } from './build.ts'
import { clusterFolder, clusterFolders } from './cluster-folder.ts'
import { findCluster, removeCluster, startCluster } from './cluster.ts'
import { TOOLS, type Tool } from './versions.ts'

const USAGE = `Usage: node testbed/cli.ts <command>
  up         [--name N] [--nodes 3] [--default-limits]   start a cluster; prints the path of its kubeconfig
  down       [--name N | --all]                          stop and remove it
  kubeconfig [--name N]                                  print the path of its kubeconfig
  build                                                  build what "up" needs
  tools      [kubectl | kwok | helm | act | actionlint | registry]...   build programs; prints the path of each
--default-limits leaves the controller manager at its own 20 requests a second; the name is "testbed" if not given.
`

const tell = (line: string) => void process.stderr.write(`testbed: ${line}\n`)
const print = (line: string) => void process.stdout.write(`${line}\n`)

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: 'string', default: 'testbed' },
      nodes: { type: 'string', default: '3' },
      'default-limits': { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
    },
  })
  const [command, ...rest] = positionals
  switch (command) {
    case 'up': {
      const running = findCluster(values.name)
      if (running) return print(running.kubeconfig)
      const nodes = Number(values.nodes)
      if (!Number.isInteger(nodes) || nodes < 1 || nodes > 100)
        throw new Error(`--nodes ${values.nodes} is not 1 to 100`)
      const raiseControllerLimits = !values['default-limits']
      const cluster = await startCluster({ name: values.name, nodes, raiseControllerLimits, owned: false }, tell)
      tell(`audit log: ${cluster.auditLog}`)
      return print(cluster.kubeconfig)
    }
    case 'down':
      for (const folder of values.all ? clusterFolders() : [clusterFolder(values.name)]) removeCluster(folder)
      return
    case 'kubeconfig': {
      const running = findCluster(values.name)
      if (!running) throw new Error(`No testbed named ${values.name} is up. Start it with "node testbed/cli.ts up".`)
      return print(running.kubeconfig)
    }
    case 'build':
      await buildKubernetes(tell)
      await buildTool('kwok', tell)
      return
    case 'tools':
      for (const name of rest) print(await program(name))
      return
    default:
      throw new Error(USAGE)
  }
}

async function program(name: string): Promise<string> {
  if (name === 'kubectl') return join(await buildKubernetes(tell), name)
  if (name in TOOLS) return join(await buildTool(name as Tool, tell), name)
  throw new Error(`There is no tool named ${name}; there are kubectl, ${Object.keys(TOOLS).join(', ')}.`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
