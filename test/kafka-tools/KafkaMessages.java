import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

/**
 * Tells what the classes of kafka-clients know of the protocol: one line of JSON for each message and version, with
 * its fields and with messages that Kafka has encoded. Its arguments are the API keys wanted. Judges nothing; the
 * test that runs it does.
 */
public final class KafkaMessages {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** How the fields of a sample are filled. */
    private enum Filling { FULL, NULLS, BARE }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        List<String> keys = List.of(arguments);
        for (ApiMessageType api : ApiMessageType.values()) {
            if (!keys.contains(String.valueOf(api.apiKey()))) continue;
            tell(out, api, "Request", api.requestSchemas(), api.newRequest().getClass());
            tell(out, api, "Response", api.responseSchemas(), api.newResponse().getClass());
        }
        out.flush();
    }

    private static void tell(PrintStream out, ApiMessageType api, String kind, Schema[] schemas, Class<?> type)
            throws Exception {
        String name = type.getSimpleName().replaceAll("Data$", "");
        for (short version = 0; version < schemas.length; version++) {
            if (schemas[version] == null) continue;
            ObjectNode line = JSON.createObjectNode();
            line.put("key", api.apiKey()).put("kind", kind).put("name", name).put("version", version);
            line.put("header", header(api, kind, version));
            describe(schemas[version], "", line.putArray("fields"));
            ArrayNode samples = line.putArray("samples");
            for (Filling filling : Filling.values())
                samples.add(sample(type, schemas[version], version, filling));
            out.println(JSON.writeValueAsString(line));
        }
        ObjectNode definition = JSON.createObjectNode().put("key", api.apiKey()).put("kind", kind).put("name", name);
        try (InputStream text = type.getResourceAsStream("/common/message/" + name + ".json")) {
            definition.put("definition", new String(text.readAllBytes(), StandardCharsets.UTF_8));
        }
        out.println(JSON.writeValueAsString(definition));
    }

    /** The bytes before a message: correlation id 7, and of a request the client id "client-ü". */
    private static String header(ApiMessageType api, String kind, short version) {
        if (kind.equals("Response"))
            return hex(new ResponseHeaderData().setCorrelationId(7), api.responseHeaderVersion(version));
        RequestHeaderData header = new RequestHeaderData().setRequestApiKey(api.apiKey());
        header.setRequestApiVersion(version).setCorrelationId(7).setClientId("client-\u00fc");
        return hex(header, api.requestHeaderVersion(version));
    }

    private static String hex(ApiMessage message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        byte[] content = new byte[message.size(cache, version)];
        message.write(new ByteBufferAccessor(ByteBuffer.wrap(content)), cache, version);
        return HexFormat.of().formatHex(content);
    }

    /** Adds `path type`, and ` tag n` for a tagged field, for each field in the order of the wire. */
    private static void describe(Schema schema, String path, ArrayNode fields) throws Exception {
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields tagged) {
                fields.add(path + "_tagged_fields");
                for (var entry : fieldsOf(tagged).entrySet())
                    describe(path + entry.getValue().name, entry.getValue().type, " tag " + entry.getKey(), fields);
            } else {
                describe(path + field.def.name, field.def.type, "", fields);
            }
        }
    }

    private static void describe(String path, Type type, String suffix, ArrayNode fields) throws Exception {
        String nullable = type.isNullable() ? " nullable" : "";
        if (type.isArray()) {
            Type element = type.arrayElementType().orElseThrow();
            String kind = type.getClass().getSimpleName().equals("CompactArrayOf") ? "compact array" : "array";
            String of = element instanceof Schema ? "struct" : element.toString().toLowerCase();
            fields.add(path + " " + kind + " of " + of + nullable + suffix);
            if (element instanceof Schema schema) describe(schema, path + ".", fields);
        } else if (type instanceof Schema schema) {
            fields.add(path + " struct" + nullable + suffix);
            describe(schema, path + ".", fields);
        } else {
            fields.add(path + " " + type.toString().toLowerCase() + suffix);
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<Integer, org.apache.kafka.common.protocol.types.Field> fieldsOf(TaggedFields tagged)
            throws Exception {
        Field fields = TaggedFields.class.getDeclaredField("fields");
        fields.setAccessible(true);
        return (Map<Integer, org.apache.kafka.common.protocol.types.Field>) fields.get(tagged);
    }

    private static ObjectNode sample(Class<?> type, Schema schema, short version, Filling filling) throws Exception {
        ApiMessage message = (ApiMessage) new Filler(filling).fill(type, schema);
        Class<?> converter = Class.forName(type.getName() + "JsonConverter");
        Method write = converter.getMethod("write", type, short.class, boolean.class);
        ObjectNode sample = JSON.createObjectNode().put("filling", filling.name());
        sample.put("hex", hex(message, version));
        sample.set("value", (JsonNode) write.invoke(null, message, version, false));
        return sample;
    }

    /** Gives every field of a version a value of its own, so that two fields in the wrong order cannot look right. */
    private static final class Filler {
        private final Filling filling;
        private int number = 0;

        Filler(Filling filling) {
            this.filling = filling;
        }

        Object fill(Class<?> type, Schema schema) throws Exception {
            Object message = type.getConstructor().newInstance();
            for (BoundField field : schema.fields()) {
                if (field.def.type instanceof TaggedFields tagged) {
                    // A tagged field that is left alone is not written: that, too, is worth a sample.
                    if (filling == Filling.BARE) continue;
                    for (var inner : fieldsOf(tagged).values()) set(message, inner.name, inner.type);
                } else {
                    set(message, field.def.name, field.def.type);
                }
            }
            return message;
        }

        private void set(Object message, String name, Type type) throws Exception {
            String wanted = "set" + name.replace("_", "");
            for (Method setter : message.getClass().getMethods())
                if (setter.getName().equalsIgnoreCase(wanted) && setter.getParameterCount() == 1) {
                    setter.invoke(message, value(message, setter, type));
                    return;
                }
            throw new IllegalStateException(message.getClass() + " has no " + wanted);
        }

        private Object value(Object message, Method setter, Type type) throws Exception {
            Class<?> wanted = setter.getParameterTypes()[0];
            if (type.isNullable() && filling == Filling.NULLS) return null;
            if (type.isArray()) {
                Type element = type.arrayElementType().orElseThrow();
                int count = filling == Filling.FULL ? 2 : filling == Filling.NULLS ? 1 : 0;
                return elements(setter, wanted, element, count);
            }
            if (type instanceof Schema schema) return fill(wanted, schema);
            if (wanted == boolean.class) {
                String getter = Character.toLowerCase(setter.getName().charAt(3)) + setter.getName().substring(4);
                return !(Boolean) message.getClass().getMethod(getter).invoke(message);
            }
            return scalar(wanted, type);
        }

        @SuppressWarnings("unchecked")
        private Object elements(Method setter, Class<?> wanted, Type element, int count) throws Exception {
            boolean isList = wanted == List.class;
            var owner = isList ? setter.getGenericParameterTypes()[0] : wanted.getGenericSuperclass();
            var argument = ((ParameterizedType) owner).getActualTypeArguments()[0];
            var all = isList ? new ArrayList<Object>() : (AbstractCollection<Object>) wanted.getConstructor().newInstance();
            for (int index = 0; index < count; index++)
                all.add(element instanceof Schema schema ? fill((Class<?>) argument, schema) : scalar((Class<?>) argument, element));
            return all;
        }

        private Object scalar(Class<?> wanted, Type type) throws Exception {
            number++;
            if (wanted == byte.class || wanted == Byte.class) return (byte) (number % 2 == 0 ? number % 100 + 2 : -2 - number % 100);
            if (wanted == short.class || wanted == Short.class) return (short) (number % 2 == 0 ? 700 + number : -700 - number);
            if (wanted == int.class || wanted == Integer.class) {
                // Ports of the quorum's listeners are unsigned 16-bit numbers.
                if (type == Type.UINT16) return 60_000 + number;
                return number % 2 == 0 ? 70_000_000 + number : -70_000_000 - number;
            }
            if (wanted == long.class || wanted == Long.class) return number % 2 == 0 ? (1L << 52) + number : -(1L << 52) - number;
            if (wanted == double.class) return number / 8.0;
            if (wanted == Uuid.class) return new Uuid(0x1122334455667788L + number, 0x99aabbccddeeff00L + number);
            if (wanted == String.class) return "text-" + number + (number % 5 == 0 ? "-größer-🪵-" + "x".repeat(150) : "");
            byte[] bytes = new byte[number % 7 == 0 ? 700 : number % 5 + 1];
            for (int index = 0; index < bytes.length; index++) bytes[index] = (byte) (number + index);
            if (wanted == byte[].class) return bytes;
            if (wanted == ByteBuffer.class) return ByteBuffer.wrap(bytes);
            return memoryRecords(wanted, bytes);
        }

        /** Its package changed within Kafka 4; both may be on the class path. */
        private static Object memoryRecords(Class<?> wanted, byte[] bytes) throws Exception {
            for (String inner : List.of("", "internal."))
                try {
                    Class<?> type = Class.forName("org.apache.kafka.common.record." + inner + "MemoryRecords");
                    if (!wanted.isAssignableFrom(type)) continue;
                    return type.getMethod("readableRecords", ByteBuffer.class).invoke(null, ByteBuffer.wrap(bytes));
                } catch (ClassNotFoundException absent) {
                    continue;
                }
            throw new IllegalStateException("no MemoryRecords for " + wanted);
        }
    }
}
