import { realpath } from 'node:fs/promises'
import { type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import type { Renderer, SourceFile } from '../../ports.ts'
import { readManifestFiles } from './files.ts'
import { renderChart } from './helm.ts'
import { buildKustomization } from './kustomize.ts'
import { MAX_TOTAL_BYTES } from './limits.ts'
import type { ToolBox } from './tool.ts'

/**
 * Reads manifests as they are, and renders a kustomization and a chart with the programs of the runner. Nothing outside the workspace is
 * read, and what is wrong with several sources is told together.
 */
export function createRenderer(tools: ToolBox): Renderer {
  return {
    render: async ({ workspace, manifests, kustomize, helm }, facts, signal) => {
      const root = await realpath(workspace).catch(() => undefined)
      if (root === undefined) {
        const hint = 'Run actions/checkout in a step before this one.'
        throw new RejectedError([{ code: 'InvalidInput', message: `the workspace ${workspace} does not exist`, hint }])
      }
      const place = { ...tools, root, signal }
      const problems: Problem[] = []
      const files: SourceFile[] = []
      const sources = [
        () => readManifestFiles(root, manifests, signal),
        ...(kustomize === undefined ? [] : [() => buildKustomization(kustomize, place)]),
        ...(helm ? [() => renderChart(helm, facts, place)] : []),
      ]
      for (const read of sources) {
        try {
          files.push(...(await read()))
        } catch (error) {
          if (!(error instanceof RejectedError)) throw error
          problems.push(...error.problems)
        }
      }
      if (files.reduce((size, { text }) => size + Buffer.byteLength(text), 0) > MAX_TOTAL_BYTES) {
        const message = 'the manifests are larger than 64 MiB together'
        problems.push({ code: 'InvalidInput', message, hint: 'Split them into several releases.' })
      }
      rejectIfAny(problems)
      return files
    },
  }
}
