import { describe, expect, it } from '@jest/globals'
import { isSecretName } from '../../src/secrets/names.ts'

describe('the name of a value', () => {
  it.each([
    'PASSWORD',
    'DB_PASSWORD',
    'PGPASSWORD',
    'MYSQL_PWD',
    'dbPassword',
    'spring.datasource.password',
    'SMTP_PASS',
    'KEY_PASSPHRASE',
    'TOKEN',
    'github-token',
    'authToken',
    'VAULT_SECRET_ID',
    'SECRET_KEY_BASE',
    'AWS_SECRET_ACCESS_KEY',
    'API_KEY',
    'APIKey',
    'STRIPE_APIKEY',
    'SIGNING_KEY_2',
    'tls.key',
    'SENTRY_DSN',
    'AZURE_CREDENTIALS',
    'BASIC_AUTH',
    'ERLANG_COOKIE',
    'ConnectionStrings__Default_ConnectionString',
    'CONNECTION_STRING',
  ])('tells that it is a secret: %s', (name) => {
    expect(isSecretName(name)).toBe(true)
  })

  it.each([
    '',
    'LEVEL',
    'PORT',
    'DATABASE_URL',
    'PASSWORD_FILE',
    'SECRET_NAME',
    'TOKEN_URL',
    'TOKEN_TTL',
    'PASSWORD_MIN_LENGTH',
    'KEY_COUNT',
    'AWS_ACCESS_KEY_ID',
    'SSH_PUBLIC_KEY',
    'MAX_TOKENS',
    'AUTH_ENABLED',
    'KEYBOARD',
    'MONKEY',
    'TOKENIZER',
    'COMPASS',
    'BYPASS',
    'AUTHOR',
    '数据库',
  ])('does not tell that it is a secret: %s', (name) => {
    expect(isSecretName(name)).toBe(false)
  })
})
