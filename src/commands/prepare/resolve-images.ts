import { type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import type { ImageRequest } from '../../inputs/images.ts'
import type { Run } from '../run.ts'

/**
 * The requests, with the digest behind the tag where that was asked for: the same tag with another image is then another pod
 * template, and rolls. Each reference is looked up once. Throws one RejectedError for all that cannot be.
 */
export async function resolveImages(
  requests: readonly ImageRequest[],
  { registry, runner, signals }: Pick<Run, 'registry' | 'runner' | 'signals'>,
): Promise<ImageRequest[]> {
  const references = [...new Set(requests.flatMap(({ toDigest, reference }) => (toDigest ? [reference] : [])))]
  const settled = await Promise.allSettled(references.map((one) => registry.resolve(one, signals.cancelled)))
  const digests = new Map<string, string>()
  const problems: Problem[] = []
  for (const [index, reference] of references.entries()) {
    const result = settled[index]
    if (result?.status === 'fulfilled') digests.set(reference, result.value)
    else problems.push(...problemsOf(reference, result?.reason))
  }
  rejectIfAny(problems)
  for (const [reference, digest] of digests) runner.info(`${reference} is ${digest}`)
  return requests.map((request) => {
    const digest = request.toDigest ? digests.get(request.reference) : undefined
    return digest === undefined ? request : { ...request, reference: `${request.reference}@${digest}` }
  })
}

/** Throws what is no problem of the image: a cancellation, or a defect. */
function problemsOf(reference: string, error: unknown): Problem[] {
  if (!(error instanceof RejectedError)) throw error
  return error.problems.map((one) => ({ ...one, message: `images: ${reference} cannot be resolved: ${one.message}` }))
}
