/** GitHub's own OpenAPI description of its REST API, as a judge of requests and answers. */
import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'

const FILE = new URL('../../node_modules/@octokit/openapi/generated/api.github.com.json', import.meta.url)

/** As far as it matters here; Ajv knows the rest. */
interface Schema {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, unknown>>
}
interface Reference {
  readonly $ref: string
}
interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: Schema
}
interface Example {
  readonly value: unknown
}
interface Content {
  readonly content?: Readonly<
    Record<string, { readonly schema?: Schema; readonly examples?: Readonly<Record<string, Example | Reference>> }>
  >
}
interface Operation {
  readonly operationId: string
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly requestBody?: Content & { readonly required?: boolean }
  readonly responses: Readonly<Record<string, Content | Reference>>
}
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly parameters: Readonly<Record<string, Parameter>>
    readonly responses: Readonly<Record<string, Content>>
    readonly schemas: Readonly<Record<string, Schema>>
    readonly examples: Readonly<Record<string, Example>>
  }
}

export interface Match {
  readonly operationId: string
  /** Of the path and of the query, as they came. */
  readonly parameters: Record<string, string>
}

export interface Description {
  /** The operation that a request asks for, or undefined when GitHub has none at this address. */
  match(method: string, address: URL): Match | undefined
  /** What GitHub would refuse in the request; empty when it is good. Names that GitHub does not know count as wrong. */
  checkRequest(match: Match, body: unknown): string[]
  /** What in an answer GitHub would not say. */
  checkAnswer(operationId: string, status: number, body: unknown): string[]
  /** The example that the description has for a good answer, whose many fields nobody would write by hand. */
  exampleOf(operationId: string): Record<string, unknown>
}

let description: Description | undefined

/** The description; read once, because it is 13 MB and does not change. */
export function readDescription(): Description {
  return (description ??= createDescription())
}

function createDescription(): Description {
  const openApi: OpenApi = JSON.parse(readFileSync(FILE, 'utf8'))
  const { parameters: sharedParameters, responses: sharedResponses, schemas } = openApi.components
  // The values of parameters are text, and mean what the schema says they are; a body says itself what it is.
  const checkText = createChecker(openApi, { coerceTypes: true })
  const checkJson = createChecker(openApi, {})
  const operations = new Map<string, Operation>()
  const routes = Object.entries(openApi.paths)
    // `/issues/comments` before `/issues/{issue_number}`
    .toSorted(([a], [b]) => a.split('{').length - b.split('{').length)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        operations.set(operation.operationId, operation)
        return { method, operation, pattern: patternOf(path) }
      }),
    )

  function operationOf(operationId: string): Operation {
    const operation = operations.get(operationId)
    if (!operation) throw new Error(`GitHub has no operation ${operationId}`)
    return operation
  }

  return {
    match(method, address) {
      const route = routes.find((one) => one.method === method.toLowerCase() && one.pattern.test(address.pathname))
      if (!route) return undefined
      const path = route.pattern.exec(address.pathname)?.groups ?? {}
      const decoded = Object.fromEntries(Object.entries(path).map(([name, value]) => [name, decodeURIComponent(value)]))
      return {
        operationId: route.operation.operationId,
        parameters: { ...Object.fromEntries(address.searchParams), ...decoded },
      }
    },

    checkRequest({ operationId, parameters }, body) {
      const operation = operationOf(operationId)
      const known = (operation.parameters ?? []).flatMap((parameter) => resolved(parameter, sharedParameters))
      const problems = Object.keys(parameters)
        .filter((name) => !known.some((parameter) => parameter.name === name))
        .map((name) => `the parameter ${name} does not exist`)
      for (const { name, required, schema } of known) {
        const value = parameters[name]
        if (value !== undefined) problems.push(...checkText(`parameter ${name}`, schema, value))
        else if (required === true) problems.push(`the parameter ${name} is missing`)
      }
      return [...problems, ...checkBody(operation, body)]
    },

    checkAnswer(operationId, status, body) {
      const response = operationOf(operationId).responses[String(status)]
      // Every operation may answer these, described or not.
      if (!response)
        return [400, 401, 403, 404, 422, 429].includes(status) ? [] : [`${operationId} never answers ${status}`]
      const schema = resolved(response, sharedResponses)[0]?.content?.['application/json']?.schema
      return schema ? checkJson(`answer of ${operationId}`, schema, body) : []
    },

    exampleOf,
  }

  function exampleOf(operationId: string): Record<string, unknown> {
    const response = operationOf(operationId).responses['200']
    const content = response && resolved(response, sharedResponses)[0]?.content?.['application/json']
    const [example] = Object.values(content?.examples ?? {})
    const found = example && resolved(example, openApi.components.examples)[0]
    if (!found) throw new Error(`there is no example for ${operationId}`)
    return structuredClone(found.value) as Record<string, unknown>
  }

  function checkBody(operation: Operation, body: unknown): string[] {
    const schema = operation.requestBody?.content?.['application/json']?.schema
    if (!schema) return body === undefined ? [] : ['no body is expected']
    if (body === undefined) return operation.requestBody?.required === true ? ['the body is missing'] : []
    const properties = resolved(schema, schemas)[0]?.properties ?? {}
    const fields = typeof body === 'object' && body !== null ? Object.keys(body) : []
    const unknown = fields.filter((name) => !(name in properties))
    return [...checkJson('body', schema, body), ...unknown.map((name) => `the field ${name} does not exist`)]
  }
}

/** What a reference points to, or the value itself; nothing for a reference that leads nowhere. */
function resolved<T extends object>(value: T | Reference, shared: Readonly<Record<string, T>>): T[] {
  const target = isReference(value) ? shared[value.$ref.slice(value.$ref.lastIndexOf('/') + 1)] : value
  return target ? [target] : []
}

function isReference(value: object): value is Reference {
  return '$ref' in value && typeof value.$ref === 'string'
}

type Checker = (what: string, schema: Schema, value: unknown) => string[]

/** Checks values by schemas of the description, each compiled once, when it is first needed. */
function createChecker(openApi: OpenApi, options: { coerceTypes?: boolean }): Checker {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, ...options })
  ajv.addSchema({ $id: 'github', components: openApi.components })
  const compiled = new Map<Schema, ValidateFunction>()
  return (what, schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(absolute(schema))
    compiled.set(schema, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map((error) => `${what}${error.instancePath} ${error.message ?? 'is wrong'}`)
  }
}

/** `/repos/{owner}/{repo}` as a pattern with groups. */
function patternOf(path: string): RegExp {
  const pattern = path
    .split(/\{([^}]+)\}/)
    .map((part, index) => (index % 2 === 1 ? `(?<${part.replaceAll('-', '_')}>[^/]+)` : part.replaceAll('.', '\\.')))
    .join('')
  return new RegExp(`^${pattern}$`)
}

/** The schema with its references pointing into the document that Ajv knows as `github`. */
function absolute(schema: Schema): Schema {
  const moved: Schema = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"github#/'))
  return moved
}
