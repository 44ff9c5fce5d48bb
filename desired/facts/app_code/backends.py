"""What an app talks to: the one table of client libraries and of the variables that people name it by.

A library alone is enough where it has no other use; a variable alone where its name says which service it means.
`DATABASE_URL` belongs to whichever database the libraries say, if they say one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desired.facts.app_code.seen import LIKELY, LITERAL
from desired.facts.fact import Fact, Place
from desired.facts.facts import Backend, Dependency, EnvUse

_ADDRESSES = (
    r"(?:URL|URI|DSN|HOST|HOSTS|HOSTNAME|ADDR|ADDRESS|ADDRESSES|PORT|SERVER|SERVERS|ENDPOINT|NODES"
    r"|CONNECTION(?:_STRING|_URL)?)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """One kind. `dependencies` are `ecosystem/name`; `variables` matches whole names; `database` takes DATABASE_URL."""

    kind: str
    dependencies: frozenset[str]
    variables: re.Pattern[str]
    database: bool = False


def _known(kind: str, dependencies: str, names: str, *, database: bool = False, whole: str = "") -> Known:
    """`names` begin or stand inside a variable that ends as addresses do; `whole` are other names."""
    pattern = rf"(?:\w+_)?(?:{names})(?:_\w+)??_?{_ADDRESSES}" + (f"|{whole}" if whole else "")
    return Known(kind, frozenset(dependencies.split()), re.compile(pattern), database)


BACKENDS: tuple[Known, ...] = (
    _known(
        "postgres",
        """pypi/psycopg2 pypi/psycopg2-binary pypi/psycopg pypi/psycopg-binary pypi/asyncpg pypi/pg8000 pypi/aiopg
        pypi/psycopg-pool pypi/pgvector
        npm/pg npm/postgres npm/pg-promise npm/@neondatabase/serverless npm/pg-native npm/@prisma/adapter-pg
        golang/github.com/lib/pq golang/github.com/jackc/pgx golang/github.com/jackc/pgx/v4
        golang/github.com/jackc/pgx/v5 golang/gorm.io/driver/postgres golang/github.com/go-pg/pg/v10
        golang/github.com/uptrace/bun/driver/pgdriver cargo/tokio-postgres cargo/postgres cargo/deadpool-postgres
        maven/org.postgresql/postgresql maven/org.postgresql/r2dbc-postgresql maven/io.quarkus/quarkus-jdbc-postgresql
        maven/io.quarkus/quarkus-reactive-pg-client gem/pg nuget/Npgsql nuget/Npgsql.EntityFrameworkCore.PostgreSQL
        nuget/Aspire.Npgsql nuget/Aspire.Npgsql.EntityFrameworkCore.PostgreSQL
        extra/postgres extra/postgresql extra/sqlx-postgres extra/psycopg2 extra/psycopg2-binary extra/asyncpg""",
        "POSTGRES|POSTGRESQL|PG|PGSQL|TIMESCALE",
        database=True,
        whole=r"PG(?:HOST|PORT|DATABASE|USER)|POSTGRES_(?:DB|USER|PASSWORD)",
    ),
    _known(
        "mysql",
        """pypi/mysqlclient pypi/pymysql pypi/mysql-connector-python pypi/aiomysql pypi/asyncmy npm/mysql npm/mysql2
        npm/mariadb golang/github.com/go-sql-driver/mysql golang/gorm.io/driver/mysql cargo/mysql cargo/mysql-async
        maven/com.mysql/mysql-connector-j maven/mysql/mysql-connector-java maven/org.mariadb.jdbc/mariadb-java-client
        maven/io.quarkus/quarkus-jdbc-mysql maven/io.quarkus/quarkus-jdbc-mariadb gem/mysql2 gem/trilogy
        nuget/Pomelo.EntityFrameworkCore.MySql nuget/MySql.Data nuget/MySqlConnector nuget/MySql.EntityFrameworkCore
        extra/mysql extra/sqlx-mysql extra/pymysql""",
        "MYSQL|MARIADB",
        database=True,
        whole=r"MYSQL_(?:DATABASE|USER|PASSWORD)",
    ),
    _known(
        "mssql",
        """pypi/pymssql npm/mssql npm/tedious golang/github.com/microsoft/go-mssqldb
        golang/github.com/denisenkom/go-mssqldb golang/gorm.io/driver/sqlserver cargo/tiberius
        maven/com.microsoft.sqlserver/mssql-jdbc gem/tiny_tds nuget/Microsoft.Data.SqlClient
        nuget/Microsoft.EntityFrameworkCore.SqlServer nuget/System.Data.SqlClient""",
        "MSSQL|SQLSERVER|SQL_SERVER",
        database=True,
    ),
    _known(
        "oracle",
        """pypi/cx-oracle pypi/oracledb npm/oracledb golang/github.com/godror/godror
        maven/com.oracle.database.jdbc/ojdbc11 maven/com.oracle.database.jdbc/ojdbc8
        nuget/Oracle.ManagedDataAccess.Core""",
        "ORACLE",
        database=True,
    ),
    _known(
        "mongodb",
        """pypi/pymongo pypi/motor pypi/mongoengine pypi/beanie pypi/djongo npm/mongodb npm/mongoose
        npm/@nestjs/mongoose npm/typegoose npm/@typegoose/typegoose golang/go.mongodb.org/mongo-driver
        golang/go.mongodb.org/mongo-driver/v2
        cargo/mongodb maven/org.springframework.boot/spring-boot-starter-data-mongodb
        maven/org.springframework.boot/spring-boot-starter-data-mongodb-reactive
        maven/org.mongodb/mongodb-driver-sync maven/io.quarkus/quarkus-mongodb-client
        maven/io.quarkus/quarkus-mongodb-panache gem/mongoid gem/mongo composer/mongodb/mongodb
        composer/mongodb/laravel-mongodb nuget/MongoDB.Driver
        extra/mongodb""",
        "MONGO|MONGODB",
        database=True,
        whole=r"MONGO(?:DB)?_?(?:URI|URL|DB|DATABASE|USERNAME)",
    ),
    _known(
        "redis",
        """pypi/redis pypi/aioredis pypi/django-redis pypi/rq pypi/hiredis pypi/channels-redis pypi/arq pypi/aiocache
        pypi/flask-redis pypi/redis-om npm/redis npm/ioredis npm/bull npm/bullmq npm/connect-redis npm/bee-queue
        npm/@nestjs/bull npm/@nestjs/bullmq npm/cache-manager-redis-store npm/@socket.io/redis-adapter
        golang/github.com/redis/go-redis/v9 golang/github.com/go-redis/redis golang/github.com/go-redis/redis/v8
        golang/github.com/go-redis/redis/v9 golang/github.com/gomodule/redigo golang/github.com/hibiken/asynq
        golang/github.com/redis/rueidis cargo/redis cargo/fred cargo/deadpool-redis
        maven/org.springframework.boot/spring-boot-starter-data-redis
        maven/org.springframework.boot/spring-boot-starter-data-redis-reactive maven/redis.clients/jedis
        maven/io.lettuce/lettuce-core maven/org.redisson/redisson-spring-boot-starter maven/org.redisson/redisson
        maven/io.quarkus/quarkus-redis-client gem/redis gem/redis-rails gem/sidekiq gem/resque gem/redis-client
        composer/predis/predis nuget/StackExchange.Redis nuget/Aspire.StackExchange.Redis
        nuget/Microsoft.Extensions.Caching.StackExchangeRedis
        extra/redis""",
        "REDIS|VALKEY",
        whole=r"REDIS_(?:DB|PASSWORD)|(?:\w+_)?REDIS",
    ),
    _known(
        "memcached",
        """pypi/pymemcache pypi/python-memcached pypi/pylibmc pypi/aiomcache npm/memcached npm/memjs
        golang/github.com/bradfitz/gomemcache gem/dalli nuget/EnyimMemcachedCore
        maven/net.spy/spymemcached maven/com.googlecode.xmemcached/xmemcached""",
        "MEMCACHE|MEMCACHED",
    ),
    _known(
        "rabbitmq",
        """pypi/pika pypi/aio-pika pypi/amqp npm/amqplib npm/amqp-connection-manager npm/rascal
        golang/github.com/rabbitmq/amqp091-go golang/github.com/streadway/amqp cargo/lapin cargo/amqprs
        maven/org.springframework.boot/spring-boot-starter-amqp maven/com.rabbitmq/amqp-client
        maven/io.quarkus/quarkus-messaging-rabbitmq gem/bunny gem/sneakers composer/php-amqplib/php-amqplib
        nuget/RabbitMQ.Client
        nuget/Aspire.RabbitMQ.Client nuget/MassTransit.RabbitMQ""",
        "RABBIT|RABBITMQ|AMQP",
        whole=r"CLOUDAMQP_URL",
    ),
    _known(
        "kafka",
        """pypi/kafka-python pypi/kafka-python-ng pypi/confluent-kafka pypi/aiokafka pypi/faust pypi/faust-streaming
        npm/kafkajs npm/node-rdkafka npm/@confluentinc/kafka-javascript golang/github.com/segmentio/kafka-go
        golang/github.com/ibm/sarama golang/github.com/IBM/sarama golang/github.com/Shopify/sarama
        golang/github.com/confluentinc/confluent-kafka-go golang/github.com/confluentinc/confluent-kafka-go/v2
        golang/github.com/twmb/franz-go cargo/rdkafka maven/org.springframework.kafka/spring-kafka
        maven/org.apache.kafka/kafka-clients maven/org.apache.kafka/kafka-streams
        maven/io.quarkus/quarkus-messaging-kafka maven/io.quarkus/quarkus-kafka-client
        maven/io.quarkus/quarkus-smallrye-reactive-messaging-kafka gem/ruby-kafka gem/rdkafka gem/karafka
        nuget/Confluent.Kafka nuget/MassTransit.Kafka""",
        "KAFKA|REDPANDA",
        whole=r"(?:\w+_)?KAFKA_(?:BROKERS?|BOOTSTRAP(?:_SERVERS?)?)|KAFKA_BROKER_LIST",
    ),
    _known(
        "nats",
        """pypi/nats-py npm/nats npm/@nats-io/transport-node golang/github.com/nats-io/nats.go cargo/async-nats
        cargo/nats maven/io.nats/jnats gem/nats-pure nuget/NATS.Client nuget/NATS.Net""",
        "NATS",
    ),
    _known(
        "mqtt",
        """pypi/paho-mqtt pypi/aiomqtt npm/mqtt golang/github.com/eclipse/paho.mqtt.golang cargo/rumqttc
        maven/org.eclipse.paho/org.eclipse.paho.client.mqttv3 nuget/MQTTnet""",
        "MQTT",
        whole=r"MQTT_BROKER",
    ),
    _known(
        "elasticsearch",
        """pypi/elasticsearch pypi/elasticsearch-dsl pypi/django-elasticsearch-dsl npm/@elastic/elasticsearch
        npm/elasticsearch golang/github.com/elastic/go-elasticsearch/v8 golang/github.com/elastic/go-elasticsearch/v7
        golang/github.com/olivere/elastic/v7 cargo/elasticsearch
        maven/org.springframework.boot/spring-boot-starter-data-elasticsearch
        maven/co.elastic.clients/elasticsearch-java gem/elasticsearch gem/searchkick gem/elasticsearch-rails
        composer/elasticsearch/elasticsearch nuget/Elastic.Clients.Elasticsearch nuget/NEST""",
        "ELASTIC|ELASTICSEARCH|ES",
    ),
    _known(
        "opensearch",
        """pypi/opensearch-py npm/@opensearch-project/opensearch golang/github.com/opensearch-project/opensearch-go/v2
        maven/org.opensearch.client/opensearch-java gem/opensearch-ruby""",
        "OPENSEARCH",
    ),
    _known(
        "meilisearch",
        "pypi/meilisearch npm/meilisearch gem/meilisearch-rails composer/meilisearch/meilisearch-php",
        "MEILI|MEILISEARCH",
    ),
    _known(
        "cassandra",
        """pypi/cassandra-driver pypi/scylla-driver npm/cassandra-driver golang/github.com/gocql/gocql cargo/scylla
        maven/org.springframework.boot/spring-boot-starter-data-cassandra maven/com.datastax.oss/java-driver-core
        nuget/CassandraCSharpDriver""",
        "CASSANDRA|SCYLLA",
        database=True,
    ),
    _known(
        "clickhouse",
        """pypi/clickhouse-driver pypi/clickhouse-connect pypi/aiochclient npm/@clickhouse/client npm/clickhouse
        golang/github.com/ClickHouse/clickhouse-go golang/github.com/ClickHouse/clickhouse-go/v2 cargo/clickhouse
        maven/com.clickhouse/clickhouse-jdbc nuget/ClickHouse.Client""",
        "CLICKHOUSE|CH",
    ),
    _known(
        "influxdb",
        """pypi/influxdb-client pypi/influxdb npm/@influxdata/influxdb-client
        golang/github.com/influxdata/influxdb-client-go/v2 cargo/influxdb""",
        "INFLUX|INFLUXDB",
    ),
    _known(
        "neo4j",
        """pypi/neo4j npm/neo4j-driver golang/github.com/neo4j/neo4j-go-driver/v5
        maven/org.neo4j.driver/neo4j-java-driver""",
        "NEO4J",
    ),
    _known(
        "qdrant",
        "pypi/qdrant-client npm/@qdrant/js-client-rest golang/github.com/qdrant/go-client cargo/qdrant-client",
        "QDRANT",
    ),
    _known("weaviate", "pypi/weaviate-client npm/weaviate-client npm/weaviate-ts-client", "WEAVIATE"),
    _known("milvus", "pypi/pymilvus npm/@zilliz/milvus2-sdk-node", "MILVUS"),
    _known("chroma", "pypi/chromadb-client npm/chromadb", "CHROMA|CHROMADB"),
    _known(
        "s3",
        """pypi/minio pypi/s3fs npm/@aws-sdk/client-s3 npm/minio npm/multer-s3
        golang/github.com/aws/aws-sdk-go-v2/service/s3 golang/github.com/minio/minio-go/v7 cargo/aws-sdk-s3
        cargo/rust-s3 maven/software.amazon.awssdk/s3 maven/io.minio/minio maven/com.amazonaws/aws-java-sdk-s3
        gem/aws-sdk-s3 composer/league/flysystem-aws-s3-v3 nuget/AWSSDK.S3 nuget/Minio
        extra/s3""",
        "S3|MINIO",
        whole=r"(?:\w+_)?S3_(?:BUCKET|BUCKET_NAME|REGION)|AWS_(?:STORAGE_BUCKET_NAME|S3_BUCKET\w*)",
    ),
    _known(
        "smtp",
        """npm/nodemailer npm/@nestjs-modules/mailer pypi/aiosmtplib pypi/fastapi-mail pypi/flask-mail
        golang/gopkg.in/gomail.v2 golang/github.com/wneessen/go-mail cargo/lettre
        maven/org.springframework.boot/spring-boot-starter-mail maven/io.quarkus/quarkus-mailer nuget/MailKit""",
        "SMTP|MAIL|EMAIL|MAILER",
        whole=r"EMAIL_HOST(?:_USER|_PASSWORD)?|MAILER_DSN|SMTP_(?:USER|USERNAME|PASSWORD)",
    ),
    _known(
        "llm",
        """pypi/openai pypi/anthropic pypi/langchain-openai pypi/langchain-anthropic pypi/litellm
        pypi/llama-index-llms-openai pypi/ollama pypi/mistralai pypi/groq npm/openai npm/@anthropic-ai/sdk
        npm/@langchain/openai npm/@ai-sdk/openai npm/ollama golang/github.com/sashabaranov/go-openai
        golang/github.com/openai/openai-go cargo/async-openai
        maven/org.springframework.ai/spring-ai-openai-spring-boot-starter
        maven/dev.langchain4j/langchain4j-open-ai gem/ruby-openai gem/openai composer/openai-php/client
        composer/openai-php/laravel nuget/OpenAI nuget/Azure.AI.OpenAI""",
        "OPENAI|LLM|OLLAMA|VLLM|ANTHROPIC|AZURE_OPENAI",
        whole=r"(?:OPENAI|ANTHROPIC|MISTRAL|GROQ|AZURE_OPENAI)_API_(?:KEY|BASE)|(?:OPENAI|LLM)_BASE_URL",
    ),
    _known("vault", "pypi/hvac npm/node-vault golang/github.com/hashicorp/vault/api gem/vault", "VAULT"),
    _known(
        "consul",
        "pypi/python-consul pypi/py-consul npm/consul golang/github.com/hashicorp/consul/api",
        "CONSUL",
        whole="CONSUL_HTTP_ADDR",
    ),
)
# No name that means a service is longer.
_LONGEST = 80
_DATABASE = re.compile(
    r"(?:\w+_)?(?:DATABASE|DB|SQLALCHEMY_DATABASE|DATASOURCE|SPRING_DATASOURCE)_(?:URL|URI|DSN|HOST|HOSTNAME|ADDR|PORT|NAME|USER|USERNAME|PASSWORD|PASS)|DB_CONNECTION|CONNECTIONSTRINGS__\w+"
)


def find_backends(
    dependencies: Iterable[tuple[Dependency, Place]],
    uses: Mapping[str, Fact[EnvUse]],
    kinds: Mapping[str, str],
    *,
    named: bool = True,
    extractor: str,
) -> dict[str, Fact[Backend]]:
    """Each kind once, by its name. `kinds` are variables whose value says what they mean.

    Without `named` a variable's name alone means nothing: only its value or a library does.
    """
    libraries: dict[str, list[tuple[Dependency, Place]]] = {}
    for dependency, place in dependencies:
        for known in BACKENDS:
            named_so = dependency.ecosystem == "code" and dependency.name == known.kind
            if named_so or f"{dependency.ecosystem}/{dependency.name}" in known.dependencies:
                libraries.setdefault(known.kind, []).append((dependency, place))
    meant = set(kinds.values())
    databases = [one.kind for one in BACKENDS if one.database and (one.kind in libraries or one.kind in meant)]
    found: dict[str, Fact[Backend]] = {}
    for known in BACKENDS:
        variables = [name for name in uses if _means(name, known, databases, kinds)]
        if not named and known.kind not in libraries and known.kind not in meant:
            continue
        fact = _fact(known.kind, libraries.get(known.kind, []), variables, uses, kinds, extractor)
        if fact is not None:
            found[known.kind] = fact
    return found


def _means(name: str, known: Known, databases: list[str], kinds: Mapping[str, str]) -> bool:
    if name in kinds or len(name) > _LONGEST:
        return kinds.get(name) == known.kind
    if known.variables.fullmatch(name.upper()):
        return True
    if not known.database or databases != [known.kind] or _DATABASE.fullmatch(name.upper()) is None:
        return False
    return not any(other.variables.fullmatch(name.upper()) for other in BACKENDS)


def _fact(
    kind: str,
    libraries: list[tuple[Dependency, Place]],
    variables: list[str],
    uses: Mapping[str, Fact[EnvUse]],
    kinds: Mapping[str, str],
    extractor: str,
) -> Fact[Backend] | None:
    if not libraries and not variables:
        return None
    value = Backend(kind, tuple(sorted(variables)))
    words = [_said(*libraries[0])] if libraries else []
    if variables:
        first = sorted(variables)[0]
        words.append(f"the variable {first}" + (f" ({uses[first].place})" if uses[first].place else ""))
    place = libraries[0][1] if libraries else uses[sorted(variables)[0]].place
    sure = LITERAL if libraries or any(name in kinds for name in variables) else LIKELY
    return Fact(value, extractor, sure, place, " and ".join(words))


def _said(dependency: Dependency, place: Place) -> str:
    if dependency.ecosystem == "code":
        return f"a client for it ({place})"
    return f"the {'extra' if dependency.ecosystem == 'extra' else 'library'} {dependency.name} ({place})"
