import { load } from 'js-yaml'
import { type Problem, rejectIfAny } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'

/** One kubeconfig text, and the folder its relative paths start from (absent when it did not come from a file). */
export interface KubeconfigText {
  readonly text: string
  /** How messages name it: the input `kubeconfig`, or a path. */
  readonly name: string
  readonly folder?: string
}

type Entry = Readonly<Record<string, unknown>>

/** The cluster and the user of one context, still as written down. */
export interface KubeconfigContext {
  readonly name: string
  readonly namespace?: string
  readonly cluster: Entry
  readonly user: Entry
  readonly userName: string
  /** Where the relative paths of the cluster and of the user start from. */
  readonly clusterFolder?: string | undefined
  readonly userFolder?: string | undefined
}

const FIX_KUBECONFIG =
  'put the whole content of a kubeconfig file, or its base64, into a secret and pass it as the input kubeconfig'

/**
 * Chooses one context out of one or several kubeconfigs. Of several entries with one name the first wins, as in kubectl
 * (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files).
 * Throws RejectedError.
 */
export function chooseContext(texts: readonly KubeconfigText[], wanted: string | undefined): KubeconfigContext {
  const problems: Problem[] = []
  const refuse = (message: string, hint: string) => problems.push({ code: 'InvalidInput', message, hint })
  const files = texts.flatMap((file) => {
    const content = parse(file, refuse)
    return content === undefined ? [] : [{ content, folder: file.folder }]
  })
  rejectIfAny(problems)

  const find = (list: string, field: string, name: string) => {
    for (const { content, folder } of files) {
      for (const entry of entriesOf(content[list])) {
        if (entry['name'] === name && isObject(entry[field])) return { value: entry[field] as Entry, folder }
      }
    }
    return undefined
  }
  const names = files.flatMap(({ content }) => entriesOf(content['contexts']).map((entry) => String(entry['name'])))
  const current = files
    .map(({ content }) => content['current-context'])
    .find((name) => typeof name === 'string' && name !== '')
  const name = wanted ?? (typeof current === 'string' ? current : undefined)

  if (name === undefined) {
    refuse('the kubeconfig has no current-context', `name one in the input context: ${listed(names)}`)
  } else if (!names.includes(name)) {
    refuse(
      `${wanted === undefined ? 'current-context' : 'the input context'} names ${JSON.stringify(name)}, which the kubeconfig does not have`,
      `it has ${listed(names)}`,
    )
  }
  rejectIfAny(problems)

  const context = find('contexts', 'context', name ?? '')?.value ?? {}
  const cluster = find('clusters', 'cluster', String(context['cluster']))
  const userName = typeof context['user'] === 'string' ? context['user'] : ''
  const user = find('users', 'user', userName)
  if (!cluster)
    refuse(
      `context ${JSON.stringify(name)} names the cluster ${JSON.stringify(context['cluster'])}, which the kubeconfig does not have`,
      FIX_KUBECONFIG,
    )
  if (userName !== '' && !user)
    refuse(
      `context ${JSON.stringify(name)} names the user ${JSON.stringify(userName)}, which the kubeconfig does not have`,
      FIX_KUBECONFIG,
    )
  rejectIfAny(problems)

  return {
    name: name ?? '',
    ...(typeof context['namespace'] === 'string' && context['namespace'] !== '' && { namespace: context['namespace'] }),
    cluster: cluster?.value ?? {},
    clusterFolder: cluster?.folder,
    user: user?.value ?? {},
    userFolder: user?.folder,
    userName,
  }
}

function parse(file: KubeconfigText, refuse: (message: string, hint: string) => void): Entry | undefined {
  let content: unknown
  try {
    content = load(file.text)
  } catch {
    // The parser's message would quote the text, which holds credentials.
    refuse(`${file.name} is not valid YAML`, FIX_KUBECONFIG)
    return undefined
  }
  if (isObject(content) && (content['kind'] === 'Config' || content['clusters'] !== undefined)) return content
  refuse(`${file.name} is not a kubeconfig: it has no clusters`, FIX_KUBECONFIG)
  return undefined
}

function entriesOf(list: unknown): Entry[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no contexts' : names.map((name) => JSON.stringify(name)).join(', ')
}
