/** Whose preview a namespace is. Labels, so that a sweep finds them; people and GitHub give none of their words to them. */
import type { Problem } from '../errors.ts'
import { numberInName, type Preview } from '../inputs/preview.ts'
import { groupKindOf, type KubeObject, type Manifest } from '../manifest/object.ts'
import { belongsTo, releaseOf } from './desired.ts'
import { guardsFor } from './preview-guards.ts'
import {
  PREVIEW_EXPIRY_LABEL,
  PREVIEW_HEAD_LABEL,
  PREVIEW_PULL_REQUEST_LABEL,
  PREVIEW_REPOSITORY_LABEL,
} from './preview-labels.ts'

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
const LONGEST_LABEL = 63

/** Where the objects come from that no file has. */
const AT = { file: 'the input preview', line: 1 }

/** What the labels of a namespace say of it. */
export interface PreviewIdentity {
  readonly repositoryId: number
  readonly pullRequest: number
  /** That of the release, and so of the namespace. */
  readonly name: string
}

/** Undefined for a namespace that is no preview, or does not say consistently of whom. */
export function previewOf(namespace: KubeObject): PreviewIdentity | undefined {
  const { labels = {}, name } = namespace.metadata
  const repositoryId = wholeNumber(labels[PREVIEW_REPOSITORY_LABEL])
  const pullRequest = wholeNumber(labels[PREVIEW_PULL_REQUEST_LABEL])
  if (repositoryId === undefined || pullRequest === undefined) return undefined
  if (numberInName(name) !== String(pullRequest) || !belongsTo(namespace, { release: name, namespace: name }))
    return undefined
  return { repositoryId, pullRequest, name }
}

/** When it is over, in milliseconds since 1970; undefined when the namespace does not tell. */
export function expiryOf({ metadata }: KubeObject): number | undefined {
  const label = metadata.labels?.[PREVIEW_EXPIRY_LABEL] ?? ''
  const time = Date.parse(label.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  return Number.isNaN(time) ? undefined : time
}

type Whose = Pick<Preview, 'repositoryId' | 'pullRequest'>

/** Nothing is written to, and nothing deleted of, a namespace that is not labelled as the preview of just this pull request. */
export function strangerProblem(
  live: KubeObject | undefined,
  { repositoryId, pullRequest }: Whose,
): Problem | undefined {
  if (!live) return undefined
  const found = previewOf(live)
  if (found?.repositoryId === repositoryId && found.pullRequest === pullRequest) return undefined
  const { name, labels = {} } = live.metadata
  const other = labels[PREVIEW_REPOSITORY_LABEL]
  const release = releaseOf(live)?.release
  const whose =
    other !== undefined && other !== String(repositoryId)
      ? `it is a preview of the repository with the id ${other}`
      : release !== undefined && release !== name
        ? `it belongs to the release ${release}`
        : 'it has not the labels of a preview'
  return {
    code: 'Fenced',
    message: `Namespace ${name} is not the preview of pull request #${pullRequest} of this repository: ${whose}`,
    hint: 'set the input release to a name that no other repository and no other namespace has; if nobody needs that namespace, delete it',
  }
}

/** The manifests of a preview, with its namespace, and what keeps it small and apart where the manifests have none of that kind. */
export function withPreview(
  manifests: readonly Manifest[],
  { preview, name, live, now }: { preview: Preview; name: string; live: KubeObject | undefined; now: Date },
): Manifest[] {
  const labels = {
    [PREVIEW_REPOSITORY_LABEL]: String(preview.repositoryId),
    [PREVIEW_PULL_REQUEST_LABEL]: String(preview.pullRequest),
    [PREVIEW_HEAD_LABEL]: headLabel(preview.headSha),
    [PREVIEW_EXPIRY_LABEL]: expiryFor(preview, live, now),
  }
  const isHome = ({ object }: Manifest) => groupKindOf(object) === 'Namespace' && object.metadata.name === name
  const own = manifests.find(isHome) ?? { object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, at: AT }
  const { metadata } = own.object
  const home = {
    ...own.object,
    metadata: { ...metadata, labels: { ...metadata.labels, ...labels } },
  }
  const kinds = new Set(manifests.map(({ object }) => groupKindOf(object)))
  const guards = guardsFor(name).filter((object) => !kinds.has(groupKindOf(object)))
  return [
    { ...own, object: home },
    ...guards.map((object) => ({ object, at: AT })),
    ...manifests.filter((manifest) => !isHome(manifest)),
  ]
}

/**
 * A preview of the same commit keeps its end for as long as not even half of its time is over: doing the same again changes
 * nothing then.
 */
function expiryFor({ headSha, ttlSeconds }: Preview, live: KubeObject | undefined, now: Date): string {
  const fresh = now.getTime() + ttlSeconds * 1000
  const before = live && live.metadata.labels?.[PREVIEW_HEAD_LABEL] === headLabel(headSha) ? expiryOf(live) : undefined
  const isYoung = before !== undefined && before <= fresh && before - now.getTime() > ttlSeconds * 500
  return expiryLabel(new Date(isYoung ? before : fresh))
}

function headLabel(sha: string): string {
  return sha.slice(0, LONGEST_LABEL)
}

function expiryLabel(time: Date): string {
  return time.toISOString().replace(/\.\d+/, '').replaceAll(/[:-]/g, '')
}

function wholeNumber(text = ''): number | undefined {
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}
