import { describe, expect, it } from '@jest/globals'
import { fieldPathText, lastPlaceOn, parseFieldPath, placesAt, setAt } from '../../src/manifest/field-path.ts'

const OBJECT = { spec: { image: 'a', parts: [{ image: 'b' }, { image: 'c' }, {}], grid: [['d'], ['e', 'f']] } }
const path = (text: string) => parseFieldPath(text) ?? []

describe('a path', () => {
  it.each([
    ['spec', ['spec']],
    ['spec.imageName', ['spec', 'imageName']],
    ['spec.parts[*].image', ['spec', 'parts', '*', 'image']],
    ['spec.grid[1][0]', ['spec', 'grid', 1, 0]],
    ['a_b.c-d.e2', ['a_b', 'c-d', 'e2']],
  ])('%s', (text, expected) => {
    expect(parseFieldPath(text)).toEqual(expected)
    expect(fieldPathText(path(text))).toBe(text)
  })

  it.each(['', '.', '.spec', 'spec.', 'spec..image', '[0]', '[*].image', 'spec.[0]', 'spec[]', 'spec[-1]', 'spec[a]'])(
    'is not %s',
    (text) => expect(parseFieldPath(text)).toBeUndefined(),
  )

  it.each(['spec[0', 'spec]0[', 'spec[*', 'spec.*', 'spec[**]', 'spec[0]image', 'spec/image', 'a b', 'spec[1234567]'])(
    'is not %s',
    (text) => expect(parseFieldPath(text)).toBeUndefined(),
  )
})

describe('the places that a path leads to', () => {
  it.each([
    ['spec.image', { 'spec.image': 'a' }],
    ['spec.parts[*].image', { 'spec.parts[0].image': 'b', 'spec.parts[1].image': 'c' }],
    ['spec.parts[1].image', { 'spec.parts[1].image': 'c' }],
    ['spec.grid[*][*]', { 'spec.grid[0][0]': 'd', 'spec.grid[1][0]': 'e', 'spec.grid[1][1]': 'f' }],
    ['spec.parts[3].image', {}],
    ['spec.parts.image', {}],
    ['spec[0]', {}],
    ['spec.image.tag', {}],
    ['spec.image.length', {}],
    ['spec.toString', {}],
    ['spec.__proto__', {}],
  ])('%s', (text, expected) => {
    const places = placesAt(OBJECT, path(text))
    expect(Object.fromEntries(places.map((place) => [fieldPathText(place.path), place.value]))).toEqual(expected)
  })

  it.each([
    ['metadata.name', ''],
    ['spec.picture', 'spec'],
    ['spec.parts[7].image', 'spec.parts'],
    ['spec.parts[*].name', 'spec.parts[0]'],
    ['spec.image.tag', 'spec.image'],
  ])('%s ends at "%s"', (text, expected) => {
    expect(fieldPathText(lastPlaceOn(OBJECT, path(text)).path)).toBe(expected)
  })
})

describe('a value put at a path', () => {
  it.each([
    ['that is there', ['spec', 'image'], { ...OBJECT.spec, image: 'new' }],
    [
      'that is not there yet',
      ['spec', 'parts', 2, 'image'],
      { ...OBJECT.spec, parts: [{ image: 'b' }, { image: 'c' }, { image: 'new' }] },
    ],
    ['in a list', ['spec', 'grid', 0, 0], { ...OBJECT.spec, grid: [['new'], ['e', 'f']] }],
  ])('%s', (_, at, spec) => {
    const copy = structuredClone(OBJECT)
    setAt(copy, at, 'new')
    expect(copy).toEqual({ spec })
  })
})
